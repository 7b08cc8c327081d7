"""The command line: Click and Rich, and the only package that prints.

`root` is the group, which loads a command when it is called; `options` are the global ones, taken on
both sides of the command; `output` says where things are printed; `errors` turns what went wrong into
`error:` and `hint:`; each file of `commands` parses, calls and renders; `render_*` make what people see.
"""
