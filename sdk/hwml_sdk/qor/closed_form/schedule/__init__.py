"""One stretch of code between loops as a schedule: what is computed when, what it touches, what a next round needs.

forms       affine subscripts                      values      when a value is ready and what it hangs on
accesses    loads and stores as data               bounds      lower bounds of the II and the nest they hold for
region      the schedule as data, and its host     operations  operators placed as soon as possible
loads       loads and stores                       expressions the rest of an expression
calls       library functions, streams             chains      what unrolled copies wait for
unrolling   loops that become copies               statements  the walk over a block

recurrences (RecMII) and ports (ResMII) read a finished region; beside says which loops run at the same time.
"""
