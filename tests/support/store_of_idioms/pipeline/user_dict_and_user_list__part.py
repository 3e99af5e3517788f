from collections import UserDict, UserList
class Lower(UserDict):
    def __setitem__(self, key, value): super().__setitem__(key.lower(), value)
    def __missing__(self, key): return 'no ' + key
CODES = Lower(A=1, Bc=2)
ROWS_ = UserList([3, 1, 2])


import assetgraph as dg

@dg.asset
def user_dict_and_user_list__value():
    return [dict(CODES), CODES['zz'], sorted(ROWS_)]
