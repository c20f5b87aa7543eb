package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

const (
	listLimit = 50  // records, unless told otherwise
	listPage  = 200 // records in one answer
)

// listing is a list of the admin API.
type listing struct {
	path    string     // below /admin/v1
	member  string     // of the answer, which holds the records
	query   url.Values // the filters
	columns []column
	after   string // the cursor of a list that was cut short; "": from the beginning
	limit   int    // records at most; 0: all
}

func (l *listing) addPageFlags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&l.limit, "limit", listLimit, "print at most `N`; 0 prints all")
	cmd.Flags().StringVar(&l.after, "after", "", "go on at the `CURSOR` that a list before ended with")
}

// search sets the filter by a text, where one is given.
func (l *listing) search(text string) {
	if text != "" {
		l.query.Set("text", text)
	}
}

// choice is a filter by two flags that exclude each other: true for the first, false for the second.
type choice struct {
	member, yes, no   string
	wantsYes, wantsNo bool
}

func (c *choice) addFlags(cmd *cobra.Command, yesUsage, noUsage string) {
	cmd.Flags().BoolVar(&c.wantsYes, c.yes, false, yesUsage)
	cmd.Flags().BoolVar(&c.wantsNo, c.no, false, noUsage)
}

// narrow sets the filter where one of the flags is given.
func (c *choice) narrow(query url.Values) error {
	if c.wantsYes && c.wantsNo {
		return usagef("--%s and --%s exclude each other", c.yes, c.no)
	}
	if c.wantsYes || c.wantsNo {
		query.Set(c.member, strconv.FormatBool(c.wantsYes))
	}
	return nil
}

// print reads page after page, and prints as many records as are wanted.
func (l listing) print(cmd *cobra.Command, a *adminFlags) error {
	if l.limit < 0 {
		return usagef("--limit is at least 0")
	}
	server, err := a.server()
	if err != nil {
		return err
	}
	w := newRecordWriter(cmd, a.json, l.columns)
	if l.after != "" {
		l.query.Set("after", l.after)
	}
	for left := l.limit; ; {
		page, next, err := l.page(cmd, server, left)
		if err != nil {
			return err
		}
		for n := range page {
			if err := w.write(&page[n]); err != nil {
				return err
			}
		}
		if left -= len(page); next == "" || l.limit > 0 && left <= 0 {
			if next != "" {
				say(cmd, "there are more: --after %s goes on, --limit 0 prints all", next)
			}
			return w.flush()
		}
		l.query.Set("after", next)
	}
}

// page reads one page of what is left to print.
func (l listing) page(cmd *cobra.Command, server *adminServer, left int) (page []record, next string, err error) {
	size := listPage
	if l.limit > 0 {
		size = min(size, left)
	}
	l.query.Set("limit", strconv.Itoa(size))
	var answer map[string]json.RawMessage
	if err := server.call(cmd.Context(), http.MethodGet, l.path+"?"+l.query.Encode(), nil, &answer); err != nil {
		return nil, "", err
	}
	if err := json.Unmarshal(answer[l.member], &page); err != nil {
		return nil, "", fmt.Errorf("the answer of %s is not what a jot server answers: %w", server.issuer, err)
	}
	if answer["next"] == nil {
		return page, "", nil
	}
	err = json.Unmarshal(answer["next"], &next)
	return page, next, err
}
