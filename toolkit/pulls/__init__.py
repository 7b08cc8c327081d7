"""The result of a run as a pull request on GitHub, next to a working tree that stays as it is.

    before the run   repository.py  a work tree, its HEAD, who the author is   ─┐
                     remote.py      the remote: host, owner, repository, token  ├─▶ nothing is asked where
                     github.py      may this token open a pull request there   ─┘   one of them is amiss

    after it, if ok  commit.py   blobs ─▶ a tree in an index of our own ─▶ a commit that no branch here names
                     git push    that commit as a new branch, or onto the branch of an earlier run; no force
                     body.py     what was asked, checked, spent and not proven, in markdown.py's inert text
                     github.py   the pull request, its labels, its reviewers
                     recorded.py which branch belongs to which run, for `ask --pr --continue`

The commit's parent is HEAD, which must be on the remote, and it holds what the run changed and nothing else.
So a file that the run changed must be committed as the run saw it: otherwise the commit would publish lines
that its user has not. What else was uncommitted stays home, and the pull request names it.

`publishing.py` is the entrance: `prepare` before the run, `publish` after it.
"""
