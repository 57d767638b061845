"""VMware FT rebuilt: a replicated pair of virtual machines, its guests and its runtimes.

Source: Scales, Nelson, Venkitachalam, "The Design of a Practical System for Fault-Tolerant
Virtual Machines", SIGOPS OSR 44(4), 2010.
"""
