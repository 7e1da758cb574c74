"""The report as people open it: in a real browser, from disk."""

import os
import re
import shlex
import shutil
import signal
import resource
from html.parser import HTMLParser
from urllib.parse import unquote, urlparse

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from conftest import ADAPTERS, BUILD, load_results

SCREENS = os.path.join(BUILD, "report-screens")
SIZES = [(360, 800), (1280, 900)]
SCHEMES = ["light", "dark"]

# The contrast of each text with what is behind it; WCAG 2.2, 1.4.3 asks for 4.5, or 3 where it is large.
CONTRAST = """
function channels(color) { return color.match(/[0-9.]+/g).map(Number); }
function luminance(c) {
	var v = c.slice(0, 3).map(function (x) { x /= 255; return x <= 0.03928 ? x / 12.92 : Math.pow((x + 0.055) / 1.055, 2.4); });
	return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
}
function behind(e) {
	for (; e; e = e.parentElement) {
		var c = channels(getComputedStyle(e).backgroundColor);
		if (c.length === 3 || c[3] === 1) return c;
	}
	return [255, 255, 255];
}
var low = [];
document.querySelectorAll("body *").forEach(function (e) {
	var own = Array.prototype.some.call(e.childNodes, function (n) { return n.nodeType === 3 && n.data.trim(); });
	if (!own || !e.getClientRects().length) return;
	var style = getComputedStyle(e), a = luminance(channels(style.color)), b = luminance(behind(e));
	var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), large = parseFloat(style.fontSize) >= 24;
	if (ratio < (large ? 3 : 4.5)) low.push(e.tagName + "." + e.className + " " + ratio.toFixed(2) + " " + e.textContent.slice(0, 30));
});
return low;
"""


class Page(HTMLParser):
    """What a page links to, the anchors that it has, and its elements."""

    def __init__(self, path):
        super().__init__()
        self.links, self.anchors, self.elements, self.text = [], set(), [], ""
        with open(path, encoding="utf-8") as f:
            self.source = f.read()
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.elements.append((tag, values))
        self.links += [values[k] for k in ("href", "src") if k in values]
        self.anchors |= {values["id"]} if "id" in values else set()

    def handle_data(self, data):
        self.text += data


def pages_of(folder):
    return sorted(os.path.join(at, n) for at, _, names in os.walk(folder) for n in names if n.endswith(".html"))


def reachable(folder):
    """The pages that can be come to from the index, and what is missing on the way."""
    seen, missing, ahead = {}, [], [os.path.join(folder, "index.html")]
    while ahead:
        path = ahead.pop()
        if path in seen:
            continue
        seen[path] = Page(path)
        for link in seen[path].links:
            to = os.path.normpath(os.path.join(os.path.dirname(path), unquote(urlparse(link).path))) if urlparse(link).path else path
            assert not urlparse(link).scheme, link
            if not os.path.exists(to):
                missing.append((path, link))
            elif to.endswith(".html"):
                ahead.append(to)
    for path, page in seen.items():
        for link in page.links:
            url = urlparse(link)
            to = os.path.normpath(os.path.join(os.path.dirname(path), unquote(url.path))) if url.path else path
            if url.fragment and to in seen and url.fragment not in seen[to].anchors:
                missing.append((path, link))
    return seen, missing


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    for argument in "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage":
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def session(small, tmp_path_factory):
    """Three that behave differently: one that is right, one that closes without a word, one that takes any end for a good one."""
    out = tmp_path_factory.mktemp("report")
    small.results("openssl", "tests:abrupt", "tests:ragged", "-j2", out=out, status=1)
    return out


def show(browser, folder, page="index.html", size=(1280, 900), scheme="light", media="", script=True):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.get("file://%s/%s" % (folder, page))


def no_console_errors(browser):
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"] == []


def cell_page(folder, implementation, case):
    return os.path.relpath(next(p for p in pages_of(folder) if p.endswith("%s/%s.html" % (implementation, case))), folder)


def kinds(folder):
    """One page of each kind."""
    return {
        "index": "index.html", "requirements": "report/requirements.html", "agreement": "report/agreement.html",
        "requirement": "report/requirements/notify-before-fin.html", "cell": cell_page(folder, "abrupt.py", "plain/close"),
        "passed": cell_page(folder, "openssl", "plain/hello"),
    }


# ---- What is written ----

def test_every_link_leads_somewhere(session):
    seen, missing = reachable(str(session))
    assert missing == []
    assert set(seen) == set(pages_of(str(session)))


def test_pages_hold_no_script_of_their_own(session):
    for path, page in reachable(str(session))[0].items():
        scripts = [v for tag, v in page.elements if tag == "script"]
        assert [os.path.basename(v.get("src", "")) for v in scripts] == ["report.js"], path
        assert not [k for _, v in page.elements for k in v if k.startswith("on") or k == "style"], path


def test_semantics(session):
    for path, page in reachable(str(session))[0].items():
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1 and levels.count(1) == 1, path
        assert all(b <= a + 1 for a, b in zip(levels, levels[1:])), (path, levels)
        assert dict(page.elements)["html"].get("lang") == "en"
        assert all(v.get("scope") in ("col", "row", "rowgroup") for tag, v in page.elements if tag == "th"), path
        assert all(v.get("alt") for tag, v in page.elements if tag == "img"), path


def test_order_of_a_finding(session):
    page = Page(os.path.join(str(session), cell_page(session, "abrupt.py", "plain/close")))
    first = page.source.split('<dl class="finding">')[1].split("</dl>")[0]
    assert re.findall("<dt>(.*?)</dt>", first) == ["Rule", "Instead", "Why it matters", "See", "Again"]
    assert "close_notify leaves" in first and "RFC 5246 7.2.1" in first and "Nothing but a close" in first


def test_failing_line_is_marked(session):
    page = Page(os.path.join(str(session), cell_page(session, "ragged.py", "plain/cut")))
    bad = [v["id"] for tag, v in page.elements if tag == "li" and v.get("class") == "bad"]
    lines = {f["line"] for r in load_results(session)["runs"] if r["case"] == "plain/cut" and r["implementation"] == "ragged.py"
             for f in r["findings"] if f["weight"] != "noted"}
    assert bad == ["line-%d" % n for n in sorted(lines)] != []


def test_report_again_is_the_same(small, session):
    before = {p: Page(p).source for p in pages_of(str(session))}
    ran = small("report", str(session))
    assert (ran.status, ran.out) == (0, "%s/index.html\n" % session)
    assert {p: Page(p).source for p in pages_of(str(session))} == before


def test_agreement(session):
    page = Page(os.path.join(str(session), "report", "agreement.html"))
    assert "abrupt.py" in page.source.split("Where one stands alone")[1].split("Case by case")[0]


def test_nothing_is_injected(small, tmp_path, browser):
    """Texts of an adapter, and the name that it goes by."""
    out = tmp_path / "out"
    small.results("tests:markup <b>&\"'x --%41 #a?b", "-c", "plain/hello", "-c", "plain/cut", out=out)
    seen, missing = reachable(str(out))
    assert missing == []
    for path, page in seen.items():
        assert [v for tag, v in page.elements if tag == "script"] == [{"src": v["src"], "defer": None} for tag, v in page.elements if tag == "script"]
        assert not {tag for tag, _ in page.elements} & {"b-", "img"} or all("svg" in v["src"] for tag, v in page.elements if tag == "img"), path
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", page.source), path
        assert re.fullmatch(r"[A-Za-z0-9._~/-]*", os.path.relpath(path, str(out))), path
    assert "<script>alert(1)</script>" in "".join(p.text for p in seen.values())
    for path in seen:
        show(browser, out, os.path.relpath(path, str(out)))
        assert browser.execute_script("return document.querySelectorAll('script').length") == 1
    no_console_errors(browser)


def test_no_files_of_an_older_session(small, tmp_path):
    """The same name, first with findings and then without."""
    adapter, out = tmp_path / "adapter.py", tmp_path / "out"
    shutil.copy(os.path.join(ADAPTERS, "iut.py"), tmp_path)
    shutil.copy(os.path.join(ADAPTERS, "abrupt.py"), adapter)
    args = [str(adapter), "-c", "plain/close", "-c", "plain/hello"]
    small.results(*args, out=out, status=1)
    assert [p for p in out.rglob("*.pcapng")] != []
    shutil.copy(os.path.join(ADAPTERS, "honest.py"), adapter)
    small.results(*args[:3], out=out, status=0)
    assert [p for p in out.rglob("plain/close/*")] == []
    seen, missing = reachable(str(out))
    assert missing == [] and not [p for p in seen if p.endswith("plain/hello.html")]


# ---- In the browser ----

@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda s: str(s[0]))
def test_looks(session, browser, size, scheme):
    """Nothing is wider than the screen, all text has contrast; the pictures are for people to look at."""
    os.makedirs(SCREENS, exist_ok=True)
    for name, page in kinds(session).items():
        show(browser, session, page, size, scheme)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0], name
        assert browser.execute_script(CONTRAST) == [], (name, scheme)
        browser.save_screenshot(os.path.join(SCREENS, "%s-%d-%s.png" % (name, size[0], scheme)))
    no_console_errors(browser)


def shown_cases(browser):
    rows = browser.find_elements(By.CSS_SELECTOR, "#cells tbody tr:not(.theme)")
    return [r.find_element(By.TAG_NAME, "a").text for r in rows if r.is_displayed()]


def choose(browser, name, value):
    Select(browser.find_element(By.NAME, name)).select_by_visible_text(value)


def letters(browser, case):
    row = next(r for r in browser.find_elements(By.CSS_SELECTOR, "#cells tbody tr:not(.theme)") if r.find_element(By.TAG_NAME, "a").text == case)
    return [c.text for c in row.find_elements(By.TAG_NAME, "td") if c.is_displayed()]


def cells_of(session):
    """The worst letter of each cell, from results.json."""
    cells = {}
    for r in load_results(session)["runs"]:
        key = r["case"].split("/")[1], r["implementation"]
        cells[key] = max(cells.get(key, "u"), r["verdict"][0], key="upwifb".index)
    return cells


def test_matrix_is_what_results_say(session, browser):
    show(browser, session)
    cells = cells_of(session)
    names = [h.text for h in browser.find_elements(By.CSS_SELECTOR, "#cells thead th span")]
    for case in shown_cases(browser):
        assert letters(browser, case) == [cells[case, n].upper() for n in names]
    assert len(shown_cases(browser)) == len({c for c, _ in cells})


def test_filter(session, browser):
    show(browser, session)
    cells, everything = cells_of(session), shown_cases(browser)
    choose(browser, "verdict", "fail")
    failing = sorted({c for (c, _), v in cells.items() if v == "f"})
    assert shown_cases(browser) == failing != everything
    assert browser.find_element(By.CSS_SELECTOR, "#filter output").text == "%d case%s" % (len(failing), "s" if len(failing) > 1 else "")
    choose(browser, "implementation", "openssl")
    assert shown_cases(browser) == []
    browser.find_element(By.CSS_SELECTOR, "#filter button").click()
    WebDriverWait(browser, 5).until(lambda b: shown_cases(b) == everything)
    choose(browser, "requirement", "truncation-visible")
    assert shown_cases(browser) == ["cut"]
    choose(browser, "requirement", "all")
    choose(browser, "theme", "plain")
    assert shown_cases(browser) == everything
    no_console_errors(browser)


def test_filter_by_role_and_version(small, tmp_path, browser):
    """A cell shows what the chosen variants came to."""
    out = tmp_path / "out"
    small.results("openssl", "tests:abrupt", "-c", "plain/close", "--role", "client", "--tls", "1.3", out=out)
    show(browser, out)
    assert letters(browser, "close") == ["P", "F"]
    choose(browser, "role", "server")
    assert shown_cases(browser) == []
    choose(browser, "role", "client")
    assert letters(browser, "close") == ["P", "F"]
    choose(browser, "TLS".lower(), "1.2")
    assert shown_cases(browser) == []
    no_console_errors(browser)


def test_three_clicks_to_the_evidence(small, session, browser, tmp_path):
    """From the first page to the most serious deviation, its capture, and the command that shows it again."""
    show(browser, session)
    worst = browser.find_element(By.CSS_SELECTOR, ".problems > li")
    worst.find_element(By.CSS_SELECTOR, "details > p a").click()
    assert "/report/cells/" in browser.current_url
    capture = browser.find_element(By.CSS_SELECTOR, ".finding a[download]").get_attribute("href")
    with open(unquote(urlparse(capture).path), "rb") as f:
        assert f.read(4) == b"\x0a\x0d\x0d\x0a"         # pcapng
    words = shlex.split(browser.find_element(By.CSS_SELECTOR, ".finding .command").text)
    assert words[0] == "closedrill" and words[-4:] == ["-o", "DIR", "--keep", "all"]
    observed = browser.find_element(By.CSS_SELECTOR, ".finding .bad").text
    ran = small(*words[1:-4], "-o", str(tmp_path / "again"), "--keep", "all")
    assert ran.status in (0, 1), ran
    runs = load_results(tmp_path / "again")["runs"]
    assert observed in [f["observed"] for r in runs for f in r["findings"]]
    no_console_errors(browser)


def test_keyboard(session, browser):
    show(browser, session)
    focused = lambda: browser.switch_to.active_element
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert focused().get_attribute("class") == "skip"
    focused().send_keys(Keys.ENTER)
    assert focused().tag_name == "main"
    for _ in range(60):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        if focused().tag_name == "summary" and not focused().find_element(By.XPATH, "..").get_attribute("open"):
            break
    assert focused().tag_name == "summary"
    focused().send_keys(Keys.ENTER)
    assert focused().find_element(By.XPATH, "..").get_attribute("open")
    for _ in range(200):
        focused().send_keys(Keys.TAB)
        if focused().find_elements(By.XPATH, "ancestor::td") and focused().text == "F":
            break
    focused().send_keys(Keys.ENTER)
    WebDriverWait(browser, 5).until(lambda b: "/report/cells/" in b.current_url)
    assert "fail" in browser.find_element(By.TAG_NAME, "main").text


def test_without_javascript(session, browser):
    try:
        show(browser, session, script=False)
        assert not browser.find_element(By.ID, "filter").is_displayed()
        assert len(shown_cases(browser)) == len({c for c, _ in cells_of(session)})
        browser.find_element(By.CSS_SELECTOR, "#cells td.F a").click()
        assert "Why it matters" in browser.find_element(By.TAG_NAME, "main").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_print(session, browser):
    show(browser, session, media="print")
    assert not browser.find_element(By.TAG_NAME, "nav").is_displayed()
    assert not browser.find_element(By.ID, "filter").is_displayed()
    assert browser.execute_script("return getComputedStyle(document.querySelector('.matrix')).overflowY") == "visible"
    os.makedirs(SCREENS, exist_ok=True)
    browser.save_screenshot(os.path.join(SCREENS, "print.png"))


# ---- Bad input, and a machine that fails ----

def a_run(**changed):
    run = {"implementation": "a", "case": "t/c", "role": "client", "tls": "1.2", "io": "memory", "verdict": "pass", "findings": []}
    run.update(changed)
    return "{%s}" % ", ".join('"%s": %s' % (k, '"%s"' % v if isinstance(v, str) else v) for k, v in run.items() if v is not None)


def results_text(*runs, version="0.1"):
    return '{"closedrill": "%s", "runs": [\n%s\n],\n"partial": false,\n"totals": {}}\n' % (version, ",\n".join(runs))


@pytest.mark.parametrize("text, place, words", [
    (None, "", "No such file"),
    ("", "results.json:1:", "not complete"),
    ("[1, 2]", "results.json:1:1:", "no results.json"),
    ("PNG\x00", "results.json:", ""),
    (results_text(a_run(), version="9.9"), "results.json:1:", "9.9"),
    (results_text(a_run(), a_run())[:-40], "results.json:", "not complete"),
    (results_text(a_run(), a_run(verdict="good")), "results.json:3:1:", 'no verdict: "good"'),
    (results_text(a_run(), a_run(role=None)), "results.json:3:1:", '"role"'),
    (results_text(a_run(case="../../etc")), "results.json:2:1:", "no name that a folder can have"),
    (results_text(a_run(implementation="..")), "results.json:2:1:", "no name that a folder can have"),
], ids=["missing", "empty", "foreign", "binary", "version", "truncated", "verdict", "no role", "leads out", "above"])
def test_bad_results(small, tmp_path, text, place, words):
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    ran = small("report", str(tmp_path))
    assert (ran.status, ran.out) == (2, ""), ran
    assert place in ran.err and words in ran.err, ran.err
    assert pages_of(str(tmp_path)) == []


def test_bad_traces_of_a_case(small, session, tmp_path):
    """A CASE.trace that is cut short is told with its place, and no index stands for it."""
    shutil.copytree(session, tmp_path / "out")
    (tmp_path / "out" / "index.html").unlink()
    trace = tmp_path / "out" / "openssl" / "plain" / "hello.trace"
    trace.write_text(trace.read_text()[:-len("end\n")])
    ran = small("report", str(tmp_path / "out"))
    assert (ran.status, ran.out) == (2, ""), ran
    assert "openssl/plain/hello.trace:" in ran.err and "not complete" in ran.err, ran.err
    assert not (tmp_path / "out" / "index.html").exists()


@pytest.mark.parametrize("args", [[], ["a", "b"], ["--fast"]])
def test_usage(small, args):
    ran = small("report", *args)
    assert ran.status == 2 and "usage:" in ran.err


def test_foreign_case_and_rule(small, tmp_path):
    """Results of another catalogue are shown as far as they tell themselves."""
    finding = '[{"requirement": "odd/rule", "level": "MUST", "weight": "fail", "line": 3, "allowed": "x", "observed": "y", "says": "Odd."}]'
    (tmp_path / "results.json").write_text(results_text(a_run(verdict="fail", findings=None)[:-1] + ', "findings": %s}' % finding))
    assert small("report", str(tmp_path)).status == 0
    seen, missing = reachable(str(tmp_path))
    assert missing == []
    assert any(p.endswith("requirements/odd_2frule.html") for p in seen)
    assert "not among those" in next(page for p, page in seen.items() if p.endswith("t/c.html")).text


def test_full_disk(small, session, tmp_path):
    """A file may hold 4000 bytes: no page of the report fits, and no part of one has its name."""
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    shutil.copy(session / "results.json", tmp_path)
    ran = small("report", str(tmp_path), preexec_fn=small_files)
    assert ran.status == 3 and "cannot write" in ran.err and "File too large" in ran.err, ran
    assert [p for p in pages_of(str(tmp_path)) if not Page(p).source.endswith("</html>\n")] == []
    assert not (tmp_path / "index.html").exists()
    assert [p for p in tmp_path.rglob("*.part")] == []
