"""The page: a view of a project's assets and runs in the browser, and the JSON behind it.

A request passes `guard`, finds its place in `app`, and is answered from a `Site`: the definitions
that are loaded, a `Board` of every asset's state, a `Follower` that reads the store as it grows,
and a `Feed` that tells the open pages what changed.
"""
