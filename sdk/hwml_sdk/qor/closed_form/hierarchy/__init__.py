"""Functions, the loops in them and the calls between them, each made of the regions below it.

frame      one function while it is walked     bodies     the region of a loop's body
pipelined  loops whose iterations overlap      plain      loops whose iterations follow one another
flattening nests that become one loop          dataflow   processes that run at the same time
instances  calls of functions, memcpy          loops      which of these a loop is
sharing    operators to cores                  functions  the walk over a function
blocks     when a function's block runs, and how many of them there are
"""
