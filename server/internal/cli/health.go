package cli

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server/internal/config"
)

const healthTimeout = 3 * time.Second

func newHealthCommand() *cobra.Command {
	var given settingFlags
	var url string
	cmd := &cobra.Command{
		Use:   "health [--config FILE | --url URL]",
		Short: "Ask a running server whether it's ready",
		Long: `Asks /readyz on the admin listener of this machine, where the configuration has it, or at another URL. It's for
probes in images that hold nothing but jot. The exit code is 0 when the server is ready, else 1.`,
		Example: "  jot health --url https://auth.example.com/readyz",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if url == "" {
				c, err := given.load()
				if err != nil {
					return usagef("%w", err)
				}
				if c.AdminListen == "" {
					return usagef("the configuration has no admin_listen: give --url URL")
				}
				url = "http://" + c.AdminListen + "/readyz"
			}
			return askHealth(cmd.Context(), url)
		},
		DisableFlagsInUseLine: true,
	}
	given.register(cmd, "admin_listen")
	cmd.Flags().StringVar(&url, "url", "", "`URL` to ask (default http://"+config.Default().AdminListen+"/readyz)")
	return cmd
}

func askHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usagef("--url %.128s: write it as http://127.0.0.1:8421/readyz", url)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
