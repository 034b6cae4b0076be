"""Somebody who has a keyboard and nothing else."""

from playwright.sync_api import expect

NAME = """() => {
    const element = document.activeElement;
    if (element === document.body) return ""; // between the last and the first
    const label = element.labels && element.labels[0];
    return (element.ariaLabel || (label || element).innerText || element.value || "").trim();
}"""
IS_SEEN = """() => {
    const style = getComputedStyle(document.activeElement);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}"""


class Keyboard:
    def __init__(self, page):
        self.page, self.files = page, []
        page.on("filechooser", lambda chooser: chooser.set_files(self.files))

    def go_to(self, name):
        """Press Tab until the focus is on what has this name; it must be seen wherever it comes by."""
        self.page.evaluate("document.activeElement.blur()")
        reached = []
        for _ in range(120):
            self.page.keyboard.press("Tab")
            reached.append(self.page.evaluate(NAME))
            if reached[-1] and not self.page.evaluate(IS_SEEN):
                raise AssertionError(f"the focus on {reached[-1]} is not seen")
            if reached[-1] == name:
                return
        raise AssertionError(f"{name} is not reached by Tab, but {reached}")

    def press(self, name):
        """Press Enter on what has this name."""
        self.go_to(name)
        self.page.keyboard.press("Enter")

    def follow(self, name):
        """Press Enter on a link or button, and wait for the page to which it leads."""
        self.go_to(name)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def type_into(self, name, text):
        self.go_to(name)
        self.page.keyboard.type(text)

    def choose_file(self, name, files):
        self.files = files
        self.press(name)
        expect(self.page.locator("input[type=file]:focus")).not_to_have_value("")
