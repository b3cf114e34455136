"""Speed of methods on this machine.

`rows` says what is measured, `job` measures one row in a process of its own, `work` counts floating-point operations,
`rounds` lets the rows take turns, `machine` names the hardware, `show` draws table and plot, `commands` times the
command line itself.
"""
