"""Drills: from a runbook to a verdict with its evidence.

``runbook``    drills as checked data
``view``       the cluster as a drill sees it, frozen (pure)
``plan``       a runbook bound to a cluster: which host is who, what exactly is injected (pure)
``conditions`` what a wait waits for and a check asks (pure)
``driver``     the phases, written down once
``hosts``      how hosts are reached: SSH and Ansible modules with the inventory's own variables, power by the lab
``observers``  programs on the hosts that watch and measure
``deadman``    heals what the nodes cannot heal themselves when the driver dies
``verdict``    from the recorded history to PASS, FAIL or UNKNOWN
``evidence``   the folder
``cli``        ``holdfast drill …``
"""
