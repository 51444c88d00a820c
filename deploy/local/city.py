"""stub replaced below"""


def run(a, b):
    return 0
