package web

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestRecords: answers and exports tell all of what is stored but secrets, under the names that docs/http-api.md has.
func TestRecords(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2030, 1, 2, hour, 0, 0, 0, time.UTC) }
	passkey := issuer.Passkey{
		ID: "K", Subject: "ada", Name: "Phone", Credential: []byte{1}, PublicKey: []byte{2}, UserHandle: []byte{3}, SignCount: 4, Transports: []string{"usb"}, BackupEligible: true, BackedUp: true,
		Created: at(1), LastUsed: at(2),
	}
	session := issuer.Session{
		ID: "S", Subject: "ada", ClientID: "app", Resource: "pets", Scope: []string{"a", "b"}, AMR: []string{"pwd"}, AuthTime: at(1), UserAgent: "browser", Address: "192.0.2.1",
		Created: at(2), LastUsed: at(3), IdleExpires: at(4), Expires: at(5),
	}
	ended := session
	ended.Ended, ended.EndReason = at(6), "logout"
	const head = `{"sid":"S","sub":"ada","client_id":"app","resource":"pets","scope":"a b","amr":["pwd"],"auth_time":"2030-01-02T01:00:00Z","user_agent":"browser","address":"192.0.2.1",` +
		`"created":"2030-01-02T02:00:00Z","last_used":"2030-01-02T03:00:00Z","idle_expires":"2030-01-02T04:00:00Z","expires":"2030-01-02T05:00:00Z"`
	const key = `{"id":"K","name":"Phone","credential_id":"AQ","public_key":"Ag","user_handle":"Aw","sign_count":4,"transports":["usb"],"backup_eligible":true,"backed_up":true,"last_used":"2030-01-02T02:00:00Z"}`
	for want, record := range map[string]any{
		head + `}`: NewSessionRecord(session),
		head + `,"ended":"2030-01-02T06:00:00Z","end_reason":"logout"}`: NewSessionRecord(ended),
		`{"id":7,"time":"2030-01-02T01:00:00Z","kind":"login","sub":"ada","sid":"S","client_id":"app","detail":"d","actor":"root","actor_client_id":"console","address":"192.0.2.1","user_agent":"browser","request_id":"R"}`: NewEventRecord(issuer.Event{
			ID: 7, Time: at(1), Kind: "login", Subject: "ada", Session: "S", ClientID: "app", Detail: "d", Actor: "root", ActorClient: "console", Address: "192.0.2.1", UserAgent: "browser", RequestID: "R",
		}),
		`{"sub":"ada","scope":"a b","claims":{"plan":"free"},"disabled":true,"generation":3,"created":"2030-01-02T01:00:00Z"}`: NewSubjectRecord(issuer.Subject{
			ID: "ada", Scope: []string{"a", "b"}, Claims: json.RawMessage(`{"plan":"free"}`), Disabled: true, Generation: 3, Created: at(1),
		}),
		key: NewPasskeyRecord(passkey),
		`{"id":"","name":"","credential_id":"","public_key":"","sign_count":0,"transports":[],"backup_eligible":false,"backed_up":false}`: NewPasskeyRecord(issuer.Passkey{}),
		`{"username":"Ada","canonical":"ada","email":"ada@example.com","email_verified":true,"password_hash":"argon2id","created":"2030-01-02T01:00:00Z",` +
			`"codes":[{"purpose":"verify_email","email":"new@example.com","created":"2030-01-02T02:00:00Z","expires":"2030-01-02T03:00:00Z"}],` +
			`"factors":[{"kind":"totp","created":"2030-01-02T04:00:00Z","recovery_codes":9},{"kind":"passkey","created":"2030-01-02T05:00:00Z","recovery_codes":9,"passkey":` + key + `}]}`: newAccountRecord(issuer.StoredAccount{
			Person: issuer.Person{Name: "Ada", Email: "ada@example.com", EmailVerified: true}, Canonical: "ada", HashKind: "argon2id", Created: at(1),
			Codes:   []issuer.StoredCode{{Purpose: "verify_email", Email: "new@example.com", Created: at(2), Expires: at(3)}},
			Factors: []issuer.Factor{{Kind: "totp", Created: at(4), RecoveryCodes: 9}, {Kind: "passkey", Created: at(5), RecoveryCodes: 9, Passkey: &passkey}},
		}),
		`{"client_id":"app","client_name":"App","resource":"pets","resource_name":"Pets","scope":"a b","given":"2030-01-02T01:00:00Z"}`: NewConsentRecord(issuer.Allowance{
			Consent: issuer.Consent{ClientID: "app", Resource: "pets", Scope: []string{"a", "b"}, Given: at(1)}, ClientName: "App", ResourceName: "Pets",
		}),
	} {
		if got, err := json.Marshal(record); err != nil || string(got) != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
}
