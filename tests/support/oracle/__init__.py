"""A mutation test of staleness: small generated projects, each edited, then brought up to date.

An *idiom* is some code in the style of a data scientist, with an expression that uses it. A *place*
is where a project keeps that code and how an asset reaches it. An *edit* changes one file of the
project. A *trial* is one edit: the project is materialized, edited, and brought up to date with
`--stale` in another process. What comes out is compared with the edited project materialized from
scratch in a third process.

`benchmarks/oracle.py` tries thousands, `tests/code/test_oracle.py` a sample.
"""
