"""The status for people: within 80 columns, most important first."""

from __future__ import annotations

from typing import Any

_WIDTH = 80
# Every profile reads the lock LUN, and an owner all LUNs, at least every two seconds: what is older was not read lately.
_OLD_SECONDS = 5.0


def render_status(status: dict[str, Any]) -> str:
    """A line per package, its reason below it, then the peers."""
    lines = [f"{'PACKAGE':16} {'STATE':12} {'OWNER':12} {'ADDRESS':20} SINCE"]
    for name, package in sorted(status["packages"].items()):
        lines += _package_lines(name, package)
    if not status["packages"]:
        lines.append("(no packages)")
    lines += ["", *(_peer_line(name, peer) for name, peer in sorted(status["peers"].items()))]
    return "\n".join(line.rstrip() for line in lines)


def render_preview(preview: dict[str, Any]) -> str:
    """Checks of a move, then its steps with the time that each took here the last time."""
    lines = [f"{'ok' if check['ok'] else 'NO':3} {check['name']}: {check['detail']}"[:_WIDTH] for check in preview["checks"]]
    for step in preview["steps"]:
        seconds = f"{step['last_seconds']:.2f} s" if step["last_seconds"] is not None else "-"
        lines.append(f"  {step['node'][:16]:16} {step['what'][:44]:44} {seconds:>10}")
    return "\n".join(line.rstrip() for line in lines)


def _package_lines(name: str, package: dict[str, Any]) -> list[str]:
    up = [address for address, here in package["address"].items() if here]
    since = package["since"][11:19]
    first = f"{name[:16]:16} {package['state'][:12]:12} {(package['owner'] or '-')[:12]:12} {_join(up)[:20]:20} {since}"
    lines = [first[:_WIDTH], f"  {package['reason']}"[:_WIDTH]]
    for lun, paths in sorted(package["keys"].items()):
        registered = sum(1 for keys in paths.values() if keys)
        holder = package["holder"].get(lun) or "nobody"
        age = package.get("read_seconds_ago", {}).get(lun, 0.0)
        when = f" ({age:.0f} s ago)" if age >= _OLD_SECONDS else ""
        lines.append(f"  {lun}{when}: {registered} of {len(paths)} paths registered, held by {holder}"[:_WIDTH])
    lines += [f"  pooler {host}: {pooler['reason']}"[:_WIDTH] for host, pooler in sorted(package.get("poolers", {}).items())]
    if package["last_takeover"]:
        lines.append(_takeover_line(package["last_takeover"])[:_WIDTH])
    return lines


def _takeover_line(takeover: dict[str, Any]) -> str:
    phases = " ".join(f"{name} {seconds:.2f}" for name, seconds in takeover["phases"].items())
    return f"  last takeover {takeover['total_seconds']:.2f} s: {phases}"


def _peer_line(name: str, peer: dict[str, Any]) -> str:
    seen = "never heard" if peer["last_seen_seconds"] is None else f"heard {peer['last_seen_seconds']:.1f} s ago"
    return f"{name[:16]:16} {'alive' if peer['alive'] else 'silent':12} {seen}"


def _join(addresses: list[str]) -> str:
    return ",".join(addresses) or "-"
