package vectors

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	page      = "../../docs/conformance.md"
	maxListed = 36 // cases, or ranges of them, of one list
)

// HoldPage makes sure that what stands in docs/conformance.md between the section's markers is what the tests found, or
// writes it there.
func HoldPage(t *testing.T, section, found string, update bool) {
	t.Helper()
	begin, end := "<!-- "+section+": begin -->\n", "<!-- "+section+": end -->"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := bytes.Cut(text, []byte(begin))
	stands, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		t.Fatalf("%s has no section %q", page, section)
	}
	found = "\n" + strings.TrimSpace(found) + "\n\n"
	if string(stands) == found {
		return
	}
	if !update {
		t.Fatalf("%s says, in its section %q:\n%s\nand the tests found:\n%s\nRun them with -update.", page, section, stands, found)
	}
	if err := os.WriteFile(page, slices.Concat(before, []byte(begin+found+end), after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Table writes the results as a table, and below it the cases by what became of them.
func Table(results []Result) string {
	var text strings.Builder
	text.WriteString("| suite | cases | gating | held | deviate | not offered | Go 1.27 | reported | agreed |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range results {
		fmt.Fprintf(&text, "| %s | %d | %d | %d | %d | %d | %d | %d | %d |\n",
			r.Name, r.Cases, r.Gating, r.Held, count(r.Deviations), count(r.NotOffered), r.Newer, r.Cases-r.Gating, count(r.Agreed))
	}
	for _, r := range results {
		writeList(&text, r.Name+", deviations", r.Deviations)
		writeList(&text, r.Name+", not offered", r.NotOffered)
		writeList(&text, r.Name+", reported, otherwise than the source has it", r.Otherwise)
		writeList(&text, r.Name+", reported, as the source has it or open", r.Agreed)
	}
	return text.String()
}

func count(groups lists) (n int) {
	for _, ids := range groups {
		n += len(ids)
	}
	return n
}

// writeList writes groups of cases, the largest first.
func writeList(text *strings.Builder, title string, groups lists) {
	names := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(groups[b]), len(groups[a])), cmp.Compare(a, b))
	})
	if len(names) == 0 {
		return
	}
	fmt.Fprintf(text, "\n%s:\n\n", title)
	for _, name := range names {
		short, more := ranges(groups[name]), ""
		if len(short) > maxListed {
			short, more = short[:maxListed], " and more, which `go test -v` lists"
		}
		fmt.Fprintf(text, "- %s. Cases: %d, `%s`%s\n", name, len(groups[name]), strings.Join(short, "`, `"), more)
	}
}

// ranges shortens names that count: a/1, a/2 and a/3 become a/1–3.
func ranges(ids []string) (short []string) {
	for i := 0; i < len(ids); {
		first, j := ids[i], i+1
		for j < len(ids) && ids[j] == next(ids[j-1]) {
			j++
		}
		if last := ids[j-1]; j-i > 2 {
			first += "–" + last[strings.LastIndexByte(last, '/')+1:]
		} else {
			j = i + 1
		}
		short, i = append(short, first), j
	}
	return short
}

// next is the name that counts one further; empty for a name without a number.
func next(id string) string {
	slash := strings.LastIndexByte(id, '/')
	n, err := strconv.Atoi(id[slash+1:])
	if err != nil {
		return ""
	}
	return id[:slash+1] + strconv.Itoa(n+1)
}
