"""The commands of docs/kubernetes.md, "An assignment, from release to feedback", as terminals of two users get them."""

import json

GRADED = {"grade": True, "grade_id": "one", "points": 1, "locked": True, "solution": False, "schema_version": 3}
CELL = {
    "cell_type": "code",
    "execution_count": None,
    "metadata": {"nbgrader": GRADED},
    "outputs": [],
    "source": "assert 1 + 1 == 2",
}
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
NOTEBOOK = json.dumps({"cells": [CELL], "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 4})

RELEASE = f"""\
ngshare-course-directory "Trial course" trial
cd trial
mkdir -p source/ps1
cat > source/ps1/ps1.ipynb <<'NOTEBOOK'
{NOTEBOOK}
NOTEBOOK
nbgrader generate_assignment ps1
nbgrader release_assignment ps1
"""
SUBMIT = """\
nbgrader list --course "Trial course"
nbgrader fetch_assignment ps1 --course "Trial course"
nbgrader submit ps1 --course "Trial course"
"""
GRADE = """\
cd trial
nbgrader collect ps1
nbgrader autograde ps1
nbgrader generate_feedback ps1
nbgrader release_feedback ps1
"""
FETCH_FEEDBACK = """\
nbgrader fetch_feedback ps1 --course "Trial course"
find . -name "ps1.html"
"""
# (who, a script that starts in the home directory, what its output has when it worked)
STEPS = [
    ("alice", RELEASE, "Released as: Trial course ps1"),
    ("bob", SUBMIT, "Submitted as: Trial course ps1"),
    ("alice", GRADE, "Collecting submission: bob ps1"),
    ("bob", FETCH_FEEDBACK, "ps1.html"),
]
