package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/jot-auth/jot/server/internal/privatefile"
)

const (
	variablePrefix = "JOT_"

	// FileVariable names the configuration file.
	FileVariable = variablePrefix + "CONFIG"

	maxFile = 1 << 20 // bytes
)

// otherVariables are read by other commands than the server's.
var otherVariables = []string{FileVariable, "JOT_ADMIN_TOKEN", "JOT_KEY", "JOT_TOKEN"}

// Sources are where a configuration comes from. What comes later overrides what comes before.
type Sources struct {
	File    string   // TOML; "" for none
	Environ []string // as os.Environ
	Flags   []Flag   // in the order in which they were given
}

// Flag is a setting on the command line.
type Flag struct{ Path, Text string }

// Loaded is a configuration, and where each of its settings comes from.
type Loaded struct {
	Config
	Origins  map[string]string // by path: "jot.toml:3", "$JOT_LISTEN" or "--listen"; those that are missing have their default
	Warnings []error           // what is probably a mistake, and doesn't stop a server: variables that mean nothing
}

// Load reads a configuration. Its error joins all that is wrong with how it's written; Validate says what is wrong with
// what it says.
func Load(s Sources) (*Loaded, error) {
	l := &Loaded{Config: Default(), Origins: map[string]string{}}
	var errs []error
	if s.File != "" {
		errs = append(errs, l.readFile(s.File))
	}
	errs = append(errs, l.readEnvironment(s.Environ), l.readFlags(s.Flags))
	return l, errors.Join(errs...)
}

func (l *Loaded) readEnvironment(environ []string) error {
	byVariable := map[string]Setting{}
	for _, s := range Settings() {
		byVariable[s.Variable()] = s
	}
	var errs []error
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		s, known := byVariable[name]
		switch {
		case known && text != "":
			if err := s.set(&l.Config, text); err != nil {
				errs = append(errs, fmt.Errorf("$%s: %w", name, err))
			}
			l.Origins[s.Path] = "$" + name
		case !known && text != "" && strings.HasPrefix(name, variablePrefix) && !slices.Contains(otherVariables, name):
			l.Warnings = append(l.Warnings, fmt.Errorf("$%.64s means nothing%s", name, didYouMean(name, variables())))
		}
	}
	return errors.Join(errs...)
}

func variables() []string {
	var names []string
	for _, s := range Settings() {
		names = append(names, s.Variable())
	}
	return names
}

func (l *Loaded) readFlags(flags []Flag) error {
	var errs []error
	begun := map[string]bool{}
	for _, flag := range flags {
		for _, s := range Settings() {
			if s.Path != flag.Path {
				continue
			}
			put := s.set
			if begun[s.Path] && s.Repeated() {
				put = s.add
			}
			if err := put(&l.Config, flag.Text); err != nil {
				errs = append(errs, fmt.Errorf("--%s: %w", s.Flag, err))
			}
			begun[s.Path] = true
			l.Origins[s.Path] = "--" + s.Flag
		}
	}
	return errors.Join(errs...)
}

// readFile reads a TOML file, in which every key must be known, spelled exactly.
func (l *Loaded) readFile(name string) error {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the configuration file %s is missing: 'jot config print --defaults' writes one to begin with", name)
	}
	if err != nil {
		return fmt.Errorf("the configuration file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return fmt.Errorf("the configuration file: %w", err)
	}
	if len(text) > maxFile {
		return fmt.Errorf("%s has more than %d bytes: is that the configuration?", name, maxFile)
	}
	short := filepath.Base(name)
	var members map[string]toml.Primitive
	found, err := toml.Decode(string(text), &members)
	if err != nil {
		return explain(short, err)
	}
	d := decoder{short, found}
	return errors.Join(d.table(members, reflect.ValueOf(&l.Config).Elem()), l.note(short, string(text), found), l.checkMode(file))
}

// note notes which settings the file has, and says which of its keys aren't settings.
func (l *Loaded) note(short, text string, found toml.MetaData) error {
	known := map[string]Setting{}
	var paths []string
	for _, s := range Settings() {
		for _, one := range append([]Setting{s}, s.Fields...) {
			known[one.Path] = one
			paths = append(paths, one.Path)
		}
		if table, _, nested := strings.Cut(s.Path, "."); nested {
			known[table] = Setting{} // its keys are judged by themselves
		}
	}
	var errs []error
	for _, key := range found.Keys() {
		path := key.String()
		where := short
		if line := lineOf(text, path); line > 0 {
			where = fmt.Sprintf("%s:%d", short, line)
		}
		s, ok := known[path]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("%s: there is no setting %.64s%s", where, path, didYouMean(path, paths)))
		case s.Secret():
			errs = append(errs, fmt.Errorf("%s: %s is a secret: use %s_file, or $%s", where, path, path, s.Variable()))
		case s.Type == reflect.TypeFor[time.Duration]() && found.Type(key...) == "Integer":
			errs = append(errs, fmt.Errorf("%s: %s needs a unit: write \"90s\", \"15m\" or \"24h\"", where, path))
		case s.Path != "":
			l.Origins[s.Path] = where
		}
	}
	return errors.Join(errs...)
}

// checkMode keeps a file with a password in it from others.
func (l *Loaded) checkMode(file *os.File) error {
	if u, err := url.Parse(l.Database); err == nil {
		if _, secret := u.User.Password(); !secret && u.Query().Get("password") == "" {
			return nil
		}
	}
	if err := privatefile.Check(file); err != nil {
		return fmt.Errorf("a database URL with a password is in the configuration file: %w", err)
	}
	return nil
}

var (
	tableLine = regexp.MustCompile(`^\s*\[\[?\s*([^\[\]]+?)\s*\]`)
	keyLine   = regexp.MustCompile(`^\s*([A-Za-z0-9_."'-]+)\s*=`)
)

// lineOf finds the first line that mentions a key or table; 0 when it's written in a way that this doesn't see through.
func lineOf(text, path string) int {
	table, number := "", 0
	for line := range strings.Lines(text) {
		number++
		name := ""
		if header := tableLine.FindStringSubmatch(line); header != nil {
			table, name = header[1]+".", header[1]
		} else if key := keyLine.FindStringSubmatch(line); key != nil {
			name = table + key[1]
		}
		if name == path {
			return number
		}
	}
	return 0
}

// didYouMean names what is closest, if that is close.
func didYouMean(name string, known []string) string {
	best, least := "", 3
	for _, candidate := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	if last := name[strings.LastIndex(name, ".")+1:]; best == "" { // the right key in the wrong table
		for _, candidate := range known {
			if strings.HasSuffix(candidate, "."+last) || candidate == last {
				best = candidate
			}
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance is how many letters are to be put in, taken out or changed (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
