import ast
class Names(ast.NodeVisitor):
    def __init__(self): self.found = []
    def visit_Name(self, node): self.found.append(node.id)
    def visit_Constant(self, node): self.found.append(node.value * 2)
def found_in(text):
    visitor = Names()
    visitor.visit(ast.parse(text))
    return visitor.found


import assetgraph as dg

@dg.asset
def visitor_by_name__value():
    return found_in('a + 3 * b')
