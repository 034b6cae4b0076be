def tables(r):
    return ""


def write(r, d):
    pass
