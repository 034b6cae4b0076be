// Shows what would be submitted beside the assignment, before it is sent; takes folders, and what is dropped; shows how
// much is sent. Without this script, the form submits, and the page of the submission compares.
"use strict";
const rules = JSON.parse(document.getElementById("rules").textContent);
const texts = JSON.parse(document.getElementById("texts").textContent); // in the language of the page
const form = document.getElementById("submit");
const input = form.elements.files;
const review = document.getElementById("review");
const progress = document.getElementById("progress");
const error = document.getElementById("error");
const button = form.querySelector("button.main");
let chosen = null; // {files: [{path, file}], paths: [path, …], sizes: [bytes, …]}; a zip has one file and many paths
let request = null; // while it is sent

// The rules; exchange/chosen_files.py has the same.

const isNotebook = (path) => path.endsWith(".ipynb");
const isIgnored = (path) =>
  path.split("/").some((part) =>
    rules.ignored.some((name) => (name[0] === "*" ? part.endsWith(name.slice(1)) : part === name)),
  );

function choosePaths(paths) {
  const kept = paths.filter((path) => !isIgnored(path));
  const released = new Set(rules.released);
  let prefix = "";
  for (;;) {
    const rest = kept.map((path) => path.slice(prefix.length));
    const tops = new Set(rest.map((path) => path.split("/")[0]));
    if (tops.size !== 1 || rest.some((path) => !path.includes("/") || released.has(path))) break;
    const [top] = tops;
    const hasNotebook = rest.some((path) => isNotebook(path) && released.has(path.slice(top.length + 1)));
    if (["", ".", ".."].includes(top) || (top !== rules.assignment && !hasNotebook)) break;
    prefix += `${top}/`;
  }
  return paths.map((path) => {
    const inner = path.slice(prefix.length);
    return isIgnored(path) || rules.ignoredAtTop.includes(inner) ? null : inner;
  });
}

// What was chosen

async function choose(files) {
  if (request || !files.length) return;
  const found = files.map(({ path, file }) => ({ path: path.normalize("NFC"), file }));
  chosen = { files: found, paths: found.map((each) => each.path), sizes: found.map((each) => each.file.size) };
  const [{ path, file }] = found;
  if (found.length === 1 && path.toLowerCase().endsWith(".zip") && !rules.released.includes(path)) {
    Object.assign(chosen, (await listZip(file)) || { paths: [], sizes: [], isUnreadable: true });
  }
  input.required = false;
  tell("");
  show();
}

async function listZip(file) {
  // The list at the end of a zip: PKWARE's APPNOTE, 4.3.12 and 4.3.16. The server reads the zip itself.
  try {
    const tail = new DataView(await file.slice(-65557).arrayBuffer());
    let end = tail.byteLength - 22;
    while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end -= 1;
    const start = tail.getUint32(end + 16, true);
    const list = new DataView(await file.slice(start, start + tail.getUint32(end + 12, true)).arrayBuffer());
    const paths = [];
    const sizes = [];
    for (let at = 0; at + 46 <= list.byteLength && list.getUint32(at, true) === 0x02014b50; ) {
      const length = list.getUint16(at + 28, true);
      const name = new TextDecoder().decode(new Uint8Array(list.buffer, at + 46, length));
      if (!name.endsWith("/")) {
        paths.push(name.replaceAll("\\", "/").normalize("NFC"));
        sizes.push(list.getUint32(at + 24, true));
      }
      at += 46 + length + list.getUint16(at + 30, true) + list.getUint16(at + 32, true);
    }
    return paths.length ? { paths, sizes } : null;
  } catch (failure) {
    if (failure instanceof RangeError) return null; // not a zip
    throw failure;
  }
}

async function readEntry(entry, above, found) {
  const path = above + entry.name;
  if (entry.isFile) {
    if (!isIgnored(path)) found.push({ path, file: await new Promise((take, fail) => entry.file(take, fail)) });
  } else if (!isIgnored(path)) {
    const reader = entry.createReader();
    let some;
    do {
      some = await new Promise((take, fail) => reader.readEntries(take, fail)); // a hundred at a time
      for (const each of some) await readEntry(each, `${path}/`, found);
    } while (some.length);
  }
}

// What is shown

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

// The text of this name, with the values for what stands in braces.
const say = (name, values = {}) => texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);

function sizeText(size) {
  const [bytes, unit] = [[1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"]].find(([each]) => size >= each) || [];
  if (!unit) return say(size === 1 ? "byte" : "bytes", { count: size });
  const number = Number((size / bytes).toPrecision(3));
  return `${number.toLocaleString(document.documentElement.lang, { useGrouping: false })} ${unit}`;
}

function tell(message) {
  error.replaceChildren(...(message ? [element("p", message, "notice")] : []));
  if (message) error.focus();
}

function show() {
  const paths = choosePaths(chosen.paths);
  const sent = paths.flatMap((path, index) => (path === null ? [] : [{ path, size: chosen.sizes[index] }]));
  sent.sort((one, other) => (one.path < other.path ? -1 : 1));
  const notebooks = new Set(sent.map(({ path }) => path).filter(isNotebook));
  const expected = rules.released.filter(isNotebook);
  const missing = expected.filter((path) => !notebooks.has(path));
  const rows = [
    ...expected.map((path) => [path, notebooks.has(path) ? "found" : "MISSING"]),
    ...[...notebooks].filter((path) => !expected.includes(path)).map((path) => [path, "EXTRA"]),
  ];
  const table = review.querySelector("table");
  table.hidden = !rows.length;
  table.tBodies[0].replaceChildren(
    ...rows.map(([path, state]) => {
      const row = element("tr", "");
      const name = element("th", path);
      name.scope = "row";
      const cell = element("td", "");
      cell.append(element("span", say(state), `tag ${state === "found" ? "good" : "warn"}`));
      row.append(name, cell);
      return row;
    }),
  );
  const details = review.querySelector("details");
  details.hidden = !sent.length;
  details.querySelector("ul").replaceChildren(
    ...sent.slice(0, 500).map(({ path, size }) => element("li", `${path}, ${sizeText(size)}`)),
    ...(sent.length > 500 ? [element("li", say("more", { count: sent.length - 500 }))] : []),
  );
  review.querySelector("[role=status]").textContent = summary(sent, missing, paths.length - sent.length);
  review.hidden = false;
  button.textContent = say(missing.length ? "submitWithout" : "submit");
}

function summary(sent, missing, leftOut) {
  if (chosen.isUnreadable) return say("unreadable");
  const size = sent.reduce((sum, each) => sum + each.size, 0);
  const counted = (count, one, many, values = {}) => say(count === 1 ? one : many, { count, ...values });
  const parts = [sent.length ? counted(sent.length, "file", "files", { size: sizeText(size) }) : say("nothing")];
  if (missing.length) parts.push(counted(missing.length, "missingOne", "missingMany"));
  if (leftOut) parts.push(counted(leftOut, "leftOutOne", "leftOutMany"));
  if (sent.length > rules.maxFiles) parts.push(say("maxFiles", { count: rules.maxFiles }));
  if (size > rules.maxSize) parts.push(say("maxSize", { size: sizeText(rules.maxSize) }));
  return parts.join(" ");
}

// Sending

function send() {
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  const kept = chosen.files.filter(({ path }) => !isIgnored(path));
  body.append("paths", JSON.stringify(kept.map(({ path }) => path)));
  kept.forEach(({ file }, index) => body.append("files", file, `file${index}`));
  body.append("end", "1");
  request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.responseType = "document";
  request.upload.addEventListener("progress", (event) => {
    const percent = Math.floor((100 * event.loaded) / event.total);
    progress.querySelector("progress").value = percent;
    const status = progress.querySelector("[role=status]");
    const text = percent < 100 ? say("percent", { percent: `${percent - (percent % 10)} %` }) : say("storing");
    if (status.textContent !== text) status.textContent = text;
  });
  request.addEventListener("load", finish);
  request.addEventListener("error", () =>
    end(say("broken")),
  );
  request.addEventListener("abort", () => end(say("stopped")));
  tell("");
  button.disabled = true;
  progress.hidden = false;
  request.send(body);
}

function finish() {
  if (request.status === 200 && request.responseURL.includes("/view/submission/")) {
    location.assign(request.responseURL);
    return;
  }
  const answer = request.response;
  const told = answer && (answer.getElementById("error") || (request.status !== 200 && answer.querySelector("main p")));
  end((told && told.textContent.trim()) || say("noAnswer"));
}

function end(message) {
  request = null;
  button.disabled = false;
  progress.hidden = true;
  tell(message);
}

form.addEventListener("submit", (event) => {
  if (!chosen) return; // the form sends what it has
  event.preventDefault();
  if (!request) send();
});
progress.querySelector("button").addEventListener("click", () => request && request.abort());
const chooseFiles = () => choose([...input.files].map((file) => ({ path: file.name, file })));
input.addEventListener("change", chooseFiles);
chooseFiles(); // what was chosen before this script was here, or what the browser kept of an earlier visit

const folder = document.createElement("input");
folder.type = "file";
folder.webkitdirectory = true;
folder.addEventListener("change", () =>
  choose([...folder.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }))),
);
document.getElementById("folder").hidden = false;
document.querySelector("#folder button").addEventListener("click", () => folder.click());

for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) form.classList.remove("over");
});
document.addEventListener("drop", async (event) => {
  event.preventDefault();
  form.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const found = entries.length ? [] : [...event.dataTransfer.files].map((file) => ({ path: file.name, file }));
  for (const entry of entries) await readEntry(entry, "", found);
  await choose(found);
});
