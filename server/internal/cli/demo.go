package cli

import (
	"context"
	"errors"
	"fmt"
	"text/template"
	"time"

	"github.com/spf13/cobra"
)

const demoLong = `Plays a token's whole life against real servers, and prints a line a step: what was sent, what came back, and how long
it took.

A token server and a small pet store start on free loopback ports, with a SQLite file in a temporary directory. A
client then signs up, logs in, calls, forges, refreshes, steals, rotates and logs out. The exit code is 0 only when every
step went as it should. Everything is cleaned up, unless --keep leaves it running until Ctrl-C, and
says how to log in.`

const demoExample = `  jot demo
  jot demo --keep
  jot demo --json`

func newDemoCommand() *cobra.Command {
	var keep, asJSON bool
	command := &cobra.Command{
		Use:     "demo [--keep] [--json]",
		Short:   "Play a token's whole life against a real server",
		Long:    demoLong,
		Example: demoExample,
		Args:    noArguments,

		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTemporaryDir(cmd.Context(), func(ctx context.Context, dir string) error {
				return runDemo(ctx, cmd, dir, keep, asJSON)
			})
		},
	}
	command.Flags().BoolVar(&keep, "keep", false, "leave the servers running until Ctrl-C")
	command.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a step")
	return command
}

func runDemo(ctx context.Context, cmd *cobra.Command, dir string, keep, asJSON bool) (err error) {
	out := demoReport{cmd: cmd, json: asJSON, style: styleFor(cmd.OutOrStdout())}
	started := time.Now()
	world, err := startDemoWorld(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.close()) }()
	if err := out.begin(world, time.Since(started)); err != nil {
		return err
	}
	play := &demoPlay{world: world}
	steps := play.steps()
	for number, step := range steps {
		began := time.Now()
		outcome, stepErr := step.run(ctx)
		if err := out.step(number+1, step.title, outcome, time.Since(began), stepErr); err != nil {
			return err
		}
		if stepErr != nil {
			return fmt.Errorf("step %d, %s: %w", number+1, step.title, stepErr)
		}
	}
	if err := out.end(len(steps), time.Since(started)); err != nil {
		return err
	}
	if keep {
		return keepRunning(ctx, cmd, play)
	}
	return nil
}

// keepText is what a person needs to go on where the demo ends. The last step has logged out.
var keepText = template.Must(template.New("keep").Parse(`
The servers run on; Ctrl-C ends them and deletes their data.

  jot       {{.Jot}}
  petstore  {{.Petstore}}
  user      {{.User}}
  password  {{.Password}}

Paste this into another terminal: log in, and call the petstore.

  ACCESS=$(curl -s {{.Jot}}/v1/login -H 'Content-Type: application/json' -d '{"username":"{{.User}}","password":"{{.Password}}"}' |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s {{.Petstore}}/pets/1 -H "Authorization: Bearer $ACCESS"
  curl -s {{.Petstore}}/pets/insights -H "Authorization: Bearer $ACCESS"

`))

// keepRunning tells how to go on, and waits for Ctrl-C.
func keepRunning(ctx context.Context, cmd *cobra.Command, play *demoPlay) error {
	about := struct{ Jot, Petstore, User, Password string }{play.world.jot, play.world.petstore, demoUser, play.password}
	if err := keepText.Execute(cmd.ErrOrStderr(), about); err != nil {
		return fmt.Errorf("telling how to go on: %w", err)
	}
	<-ctx.Done()
	return nil
}

// demoReport prints the steps, for people or as JSON.
type demoReport struct {
	cmd   *cobra.Command
	json  bool
	style style
}

func (r demoReport) begin(world *demoWorld, took time.Duration) error {
	if r.json {
		return printObject(r.cmd, map[string]any{"jot": world.jot, "petstore": world.petstore, "ms": milliseconds(took)})
	}
	_, err := fmt.Fprintf(r.cmd.OutOrStdout(), "jot on %s, petstore on %s, started in %.0f ms\n\n", world.jot, world.petstore, milliseconds(took))
	return err
}

func (r demoReport) step(number int, title, outcome string, took time.Duration, failure error) error {
	if r.json {
		step := map[string]any{"step": number, "title": title, "outcome": outcome, "ms": milliseconds(took), "ok": failure == nil}
		if failure != nil {
			step["error"] = failure.Error()
		}
		return printObject(r.cmd, step)
	}
	mark := r.style.good("ok  ")
	if failure != nil {
		mark, outcome = r.style.bad("FAIL"), failure.Error()
	}
	_, err := fmt.Fprintf(r.cmd.OutOrStdout(), "%2d %s %-42s %8.1f ms  %s\n", number, mark, title, milliseconds(took), r.style.faint(outcome))
	return err
}

func (r demoReport) end(steps int, took time.Duration) error {
	if r.json {
		return printObject(r.cmd, map[string]any{"ok": true, "steps": steps, "ms": milliseconds(took)})
	}
	_, err := fmt.Fprintf(r.cmd.OutOrStdout(), "\n%s\n", r.style.good(fmt.Sprintf("%d steps in %.1f s, each as it should be", steps, took.Seconds())))
	return err
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}
