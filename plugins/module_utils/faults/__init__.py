# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Faults of a drill: what breaks a node on purpose, how it is proven, and how it is undone.

C(base)         what every fault declares, and the context it is built from
C(keeper)       the record of an active fault and the timer that undoes it without anybody's help
C(registry)     all kinds by name
C(machine)      crash, panic, reboot, shutdown
C(process)      kill, kill again and again, stop (SIGSTOP), a server program that cannot be started
C(network)      drop, loss, delay, flap; the same for storage traffic
C(storage)      a hanging map, failing writes, a full file system
C(reservation)  keys cleared, a stranger's key, and the proof that the array refuses a node's writes
C(clock)        a jump of the wall clock
"""
