import re
def shout(found):
    return found.group(0).upper() + '!'
def loud(text):
    return re.sub('[aeiou]', shout, text)


import assetgraph as dg

@dg.asset
def regular_expression_with_a_function__value():
    return loud('trip record')
