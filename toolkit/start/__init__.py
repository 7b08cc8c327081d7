"""The user's own files, as a run starts from them and as its answer comes back to them.

    folder ─▶ ignored.py   what git ignores        ─┐
           ─▶ private.py   what holds a secret     ─┼▶ gather.py ─▶ a tree, and what stays home, with why
                                                    │
    the run's tree ─▶ changes.py ─▶ a diff ─▶ writing.py: all of it or nothing, and only over what was sent

What a run is given leaves this machine, a model reads it, and the audit record keeps what the model read.
So a file goes only where nothing speaks against it, and whoever asks can see the list first.

`unread.py` is `tfkit verify`'s part: what stayed home and need not be compared with what a run has signed.
"""
