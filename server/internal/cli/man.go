package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newManCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "man [COMMAND...] | --out DIR",
		Short: "Write manual pages",
		Long: `Write the manual page of a command to standard output, or those of all
commands to a directory, named jot.1, jot-sign.1 and so on. What is written
depends on this version of jot and on nothing else.`,
		Example: `  jot man verify > jot-verify.1
  jot man key generate > jot-key-generate.1
  jot man --out man1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if dir != "" {
				return writeManPages(cmd, args, dir)
			}
			return printManPage(cmd, args)
		},
		ValidArgsFunction:     completeCommands,
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().StringVar(&dir, "out", "", "write all pages into `DIR`, which is made when missing")
	return cmd
}

func printManPage(cmd *cobra.Command, path []string) error {
	found, rest, err := cmd.Root().Find(path)
	if err != nil || len(rest) > 0 {
		return usagef("there is no command %.40q", strings.Join(path, " "))
	}
	_, err = cmd.OutOrStdout().Write(manPage(found))
	return err
}

// writeManPages replaces pages that exist: they are made of nothing that could be lost.
func writeManPages(cmd *cobra.Command, args []string, dir string) error {
	if len(args) > 0 {
		return usagef("--out writes all pages: leave out the command")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	pages := documentedCommands(cmd.Root())
	for _, command := range pages {
		if err := os.WriteFile(filepath.Join(dir, manName(command)+".1"), manPage(command), 0o644); err != nil {
			return err
		}
	}
	say(cmd, "wrote %d pages to %s", len(pages), dir)
	return nil
}

// documentedCommands are a command and all below it, without those that cobra brings along.
func documentedCommands(cmd *cobra.Command) []*cobra.Command {
	if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
		return nil
	}
	list := []*cobra.Command{cmd}
	for _, child := range cmd.Commands() {
		list = append(list, documentedCommands(child)...)
	}
	return list
}

func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manWriter writes the macros of man(7).
type manWriter struct{ strings.Builder }

// manPage is the page of a command. It bears no date and no version, so that it changes only when its text does.
func manPage(cmd *cobra.Command) []byte {
	var w manWriter
	w.macro("TH", strings.ToUpper(manName(cmd)), "1", "", "jot", "jot manual")
	w.section("name")
	w.text(manName(cmd) + " - " + uncapitalized(cmd.Short))
	w.section("synopsis")
	w.text(cmd.UseLine())
	w.section("description")
	w.prose(cmd.Long)
	w.commands(cmd)
	w.flags(cmd)
	if cmd.Example != "" {
		w.section("examples")
		w.verbatim(strings.Split(cmd.Example, "\n"))
	}
	w.seeAlso(cmd)
	return []byte(w.String())
}

// uncapitalized begins a sentence as if it went on, unless its first word is spelled in capitals.
func uncapitalized(text string) string {
	if text[1] < 'a' && text[1] != ' ' {
		return text
	}
	return strings.ToLower(text[:1]) + text[1:]
}

func (w *manWriter) macro(name string, args ...string) {
	w.WriteString("." + name)
	for _, arg := range args {
		w.WriteString(` "` + roff(arg) + `"`)
	}
	w.WriteString("\n")
}

func (w *manWriter) section(title string) { w.macro("SH", strings.ToUpper(title)) }

// text writes one line, which must not look like a macro.
func (w *manWriter) text(line string) {
	if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
		w.WriteString(`\&`)
	}
	w.WriteString(roff(line) + "\n")
}

// prose writes paragraphs to be filled. Indented lines stay as they are.
func (w *manWriter) prose(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			w.macro("PP")
		}
		lines := strings.Split(paragraph, "\n")
		for len(lines) > 0 {
			filled := lineCount(lines, false)
			for _, line := range lines[:filled] {
				w.text(line)
			}
			lines = lines[filled:]
			kept := lineCount(lines, true)
			w.verbatim(lines[:kept])
			lines = lines[kept:]
		}
	}
}

// lineCount is the number of lines at the start that are all indented, or all not.
func lineCount(lines []string, indented bool) int {
	for i, line := range lines {
		if strings.HasPrefix(line, " ") != indented {
			return i
		}
	}
	return len(lines)
}

// verbatim writes lines as they are.
func (w *manWriter) verbatim(lines []string) {
	if len(lines) == 0 {
		return
	}
	w.WriteString(".nf\n")
	for _, line := range lines {
		w.text(line)
	}
	w.WriteString(".fi\n")
}

func (w *manWriter) commands(cmd *cobra.Command) {
	children := cmd.Commands()
	if len(children) == 0 {
		return
	}
	w.section("commands")
	for _, child := range children {
		w.macro("TP")
		w.macro("B", child.Name())
		w.text(child.Short)
	}
}

func (w *manWriter) flags(cmd *cobra.Command) {
	title := "options"
	list := func(flag *pflag.Flag) {
		if flag.Hidden || flag.Name == "help" || flag.Name == "version" {
			return
		}
		if title != "" {
			w.section(title)
			title = ""
		}
		w.flag(flag)
	}
	cmd.LocalFlags().VisitAll(list)
	cmd.InheritedFlags().VisitAll(list)
}

func (w *manWriter) flag(flag *pflag.Flag) {
	value, usage := pflag.UnquoteUsage(flag)
	w.macro("TP")
	w.WriteString(`\fB` + roff("--"+flag.Name) + `\fR`)
	if value != "" {
		w.WriteString(` \fI` + roff(value) + `\fR`)
	}
	w.WriteString("\n")
	for line := range strings.SplitSeq(usage, "\n") {
		w.text(line)
	}
	if stated := flag.DefValue; stated != "" && stated != "false" && stated != "[]" && stated != "0s" {
		w.text(fmt.Sprintf("(default %s)", stated))
	}
}

func (w *manWriter) seeAlso(cmd *cobra.Command) {
	var near []string
	if cmd.HasParent() {
		near = append(near, manName(cmd.Parent()))
	}
	for _, child := range documentedCommands(cmd)[1:] {
		near = append(near, manName(child))
	}
	if len(near) == 0 {
		return
	}
	w.section("see also")
	for i, name := range near {
		end := ","
		if i == len(near)-1 {
			end = ""
		}
		w.WriteString(".BR " + roff(name) + " (1)" + end + "\n")
	}
}

// roffEscapes keep what groff(7) would read as its own, or would print as a typographer's character, for the shell to
// read.
var roffEscapes = strings.NewReplacer(`\`, `\(rs`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`)

// roff escapes a text. What isn't ASCII is written as groff and mandoc both read it, whatever the locale.
func roff(text string) string {
	var out strings.Builder
	for _, r := range roffEscapes.Replace(text) {
		if r < 0x80 {
			out.WriteRune(r)
		} else {
			fmt.Fprintf(&out, `\[u%04X]`, r)
		}
	}
	return out.String()
}
