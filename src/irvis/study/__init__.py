"""People compare results on a local page; their answers become a ranking, and show which metrics agree with it.

`folders` finds the results, `schedule` says who is asked what, `store` and `asking` keep it
(SQLite), `server` shows the page.
`ranking` (with `clusters` for its intervals), `agreement` and `judges` read the answers, `report` and `show` tell.
"""
