"""The page: a view of a project's assets and runs in the browser, and the JSON behind it.

A request passes the guard in `http/` and reaches an endpoint in `api/`, which answers from the
`PageState` in `live/`: the loaded definitions, a table of every asset's state, a watcher of the
store, and the feed of changes that open pages follow. Each folder imports only those to its right:
`http`, `api`, `live`, `shapes`.
"""
