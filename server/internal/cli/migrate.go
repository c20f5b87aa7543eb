package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server/sqlstore"
)

const migrateLong = `Shows or updates the schema of a database. 'jot serve' updates it at its start, by itself: these commands are for those who
want to see it first, or do it with another role than the servers'. They find the database as 'jot serve' does.

Servers of the version before go on while a PostgreSQL database is updated, and may be started again over the new schema: replace them one by one
afterwards. The server over a data directory has to be stopped. docs/operations.md, "Upgrade", says what else to know.`

const migrateExample = `  jot migrate status --data ./jot-data
  jot migrate up --database postgres://jot@db.example.com/jot?sslmode=verify-full`

func newMigrateCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "migrate status|up",
		Short:   "Show or update the schema of a database",
		Long:    migrateLong,
		Example: migrateExample,
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return usagef("migrate needs status or up") },

		DisableFlagsInUseLine: true,
	}
	command.AddCommand(newMigrateStatusCommand(), newMigrateUpCommand())
	return command
}

func newMigrateStatusCommand() *cobra.Command {
	var flags databaseFlags
	var asJSON bool
	command := &cobra.Command{
		Use:     "status --config FILE | --data DIR | --database URL [--json]",
		Short:   "Show the version of a schema and what is to come",
		Long:    "Shows the version of a database's schema and the migrations that are to come, and changes nothing. Says as well whether servers of this version may run over it.",
		Example: "  jot migrate status --data ./jot-data --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			database, err := flags.database(cmd)
			if err != nil {
				return err
			}
			schema, err := database.schema(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printObject(cmd, map[string]any{"version": schema.Version, "newest": schema.Newest, "pending": append([]string{}, schema.Pending...), "serves": schema.Serves()})
			}
			return printSchema(cmd, schema)
		},
		DisableFlagsInUseLine: true,
	}
	flags.register(command)
	command.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return command
}

func printSchema(cmd *cobra.Command, s sqlstore.Schema) error {
	text := fmt.Sprintf("schema version %d, this program knows %d", s.Version, s.Newest)
	switch {
	case !s.Serves():
		text += "\nno server of this version starts over it: start a newer one"
	case s.Newer():
		text += "\na newer version has added to it: servers of this version go on, and all other commands need the newer one"
	case len(s.Pending)+len(s.Ran) == 0:
		text += "\nnothing to do"
	}
	for _, name := range s.Ran {
		text += "\nran " + name
	}
	for _, name := range s.Pending {
		text += "\npending " + name
	}
	return printLine(cmd, []byte(text))
}

func newMigrateUpCommand() *cobra.Command {
	var flags databaseFlags
	var asJSON bool
	command := &cobra.Command{
		Use:     "up --config FILE | --data DIR | --database URL [--json]",
		Short:   "Bring a schema up to date",
		Long:    "Brings the schema of a database up to date, and makes it in an empty one. Says which migrations it ran. Several may do that at once.",
		Example: "  jot migrate up --data ./jot-data",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			database, err := flags.database(cmd)
			if err != nil {
				return err
			}
			var schema sqlstore.Schema
			err = database.use(cmd.Context(), func(s *sqlstore.Store) error {
				schema = s.Schema()
				return nil
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printObject(cmd, map[string]any{"version": schema.Version, "newest": schema.Newest, "ran": append([]string{}, schema.Ran...)})
			}
			return printSchema(cmd, schema)
		},
		DisableFlagsInUseLine: true,
	}
	flags.register(command)
	command.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return command
}
