# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Several resources of one kind handled by one call of a module."""

from __future__ import annotations

from .resource import Action, Resource


class ResourceGroup(Resource):
    """Members by name. Actions of a member carry it in their detail, so that one list holds all of them in order."""

    def __init__(self, members):
        self.members = members

    def read(self):
        """State of every member."""
        return {name: member.read() for name, member in self.members.items()}

    def plan(self, before):
        """The members' plans, one after another."""
        return [
            _MemberAction(action.verb, action.subject, action.detail, action.secret, member=name)
            for name, member in self.members.items()
            for action in member.plan(before[name])
        ]

    def apply(self, action):
        """Hand the action to its member."""
        self.members[action.member].apply(action)

    def finish(self):
        """Finish every member."""
        for member in self.members.values():
            member.finish()

    def expect(self, before):
        """What every member expects."""
        return {name: member.expect(before[name]) for name, member in self.members.items()}

    def public(self, state):
        """What every member shows."""
        return {name: self.members[name].public(value) for name, value in state.items()}


class _MemberAction(Action):
    """An action that knows whose it is."""

    def __init__(self, verb, subject, detail, secret, member):
        super().__init__(verb, subject, detail, secret)
        object.__setattr__(self, "member", member)
