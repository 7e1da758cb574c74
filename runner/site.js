/* Filters the report. All of it can be read without. */
(function () {
	"use strict";

	/* Of the letters of several variants, the worst. */
	var weights = ".UPWIFB";

	function worst(letters) {
		return letters.split("").reduce(function (a, b) {
			return weights.indexOf(b) > weights.indexOf(a) ? b : a;
		}, ".");
	}

	function holds(list, number) {
		return (" " + (list || "") + " ").indexOf(" " + number + " ") >= 0;
	}

	/* The letter of a cell for the roles and versions that are asked for; "." for none. */
	function letter(cell, want) {
		var parts = cell.dataset.v, chosen = "";

		if (!parts)
			return cell.className.charAt(0) || ".";
		for (var i = 0; i < 4; i++)
			if ((want.role === "" || want.role === String(i >> 1)) && (want.tls === "" || want.tls === String(i & 1)))
				chosen += parts.charAt(i);
		return worst(chosen);
	}

	function cellShows(cell, row, seen, want) {
		var verdict = want.verdict === "" || want.verdict === seen || (want.verdict === "*" && "c" in cell.dataset) ||
			(want.verdict === "k" && "k" in cell.dataset && "FWI".indexOf(seen) >= 0);
		var rule = want.requirement === "" || holds(cell.dataset.r, want.requirement) ||
			(holds(row.dataset.q, want.requirement) && "PU".indexOf(seen) >= 0);

		return verdict && rule && seen !== ".";
	}

	function filterCell(cell, row, want) {
		var link = cell.firstElementChild, seen, shows;

		if (!link)
			return false;
		cell.dataset.was = cell.dataset.was || cell.className.charAt(0);
		cell.className = cell.dataset.was;
		seen = letter(cell, want);
		shows = cellShows(cell, row, seen, want);
		cell.className = shows ? seen : "dim";
		link.textContent = (seen === "." ? "\u00b7" : "k" in cell.dataset && seen !== "P" && seen !== "U" ? seen.toLowerCase() : seen) + ("c" in cell.dataset ? "*" : "");
		return shows;
	}

	function filterRow(row, want) {
		var any = false;

		for (var i = 1; i < row.cells.length; i++) {
			var cell = row.cells[i], column = want.implementation === "" || want.implementation === String(i - 1);

			cell.hidden = !column;
			if (column && filterCell(cell, row, want))
				any = true;
		}
		row.hidden = !any && !(want.verdict === "" && want.role === "" && want.tls === "" && want.implementation === "" &&
			(want.requirement === "" || holds(row.dataset.q, want.requirement)));
		return !row.hidden;
	}

	function filterTheme(body, want) {
		var shown = 0;

		body.hidden = want.theme !== "" && want.theme !== body.dataset.theme;
		if (body.hidden)
			return 0;
		for (var i = 1; i < body.rows.length; i++)
			shown += filterRow(body.rows[i], want) ? 1 : 0;
		body.hidden = shown === 0;
		return shown;
	}

	function filterMatrix(form, table) {
		var want = {}, shown = 0, heads = table.tHead.rows[0].cells;

		["verdict", "theme", "requirement", "role", "tls", "implementation"].forEach(function (name) {
			want[name] = form.elements[name].value;
		});
		for (var i = 1; i < heads.length; i++)
			heads[i].hidden = want.implementation !== "" && want.implementation !== String(i - 1);
		Array.prototype.forEach.call(table.tBodies, function (body) {
			shown += filterTheme(body, want);
		});
		form.querySelector("output").textContent = shown + (shown === 1 ? " case" : " cases");
	}

	function filterAgreement(line) {
		var apart = line.querySelector("#only-apart").checked, alone = line.querySelector("#only-alone").checked, shown = 0;

		Array.prototype.forEach.call(document.querySelectorAll(".agree"), function (section) {
			section.hidden = (apart && Number(section.dataset.groups) < 2) || (alone && section.dataset.alone !== "1");
			shown += section.hidden ? 0 : 1;
		});
		line.querySelector("output").textContent = shown + (shown === 1 ? " case" : " cases");
	}

	/* pageshow: who comes back finds the filter as it was left. */
	function start(box, apply) {
		box.hidden = false;
		box.addEventListener("change", apply);
		box.addEventListener("reset", function () {
			setTimeout(apply, 0);
		});
		window.addEventListener("pageshow", function () {
			if (box.querySelector("select, input"))
				apply();
		});
	}

	var form = document.getElementById("filter"), table = document.getElementById("cells"), line = document.getElementById("agree-filter");

	if (form && table)
		start(form, function () {
			filterMatrix(form, table);
		});
	if (line)
		start(line, function () {
			filterAgreement(line);
		});
}());
