package issuer

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot"
)

// The events that say who changed what. Each is written in the transaction of its change.
const (
	EventSubjectCreated      EventKind = "subject.created"
	EventSubjectChanged      EventKind = "subject.changed" // the detail names the claims and scopes that changed, and no value
	EventSubjectDisabled     EventKind = "subject.disabled"
	EventSubjectEnabled      EventKind = "subject.enabled"
	EventSubjectDeleted      EventKind = "subject.deleted"
	EventSubjectLoggedOut    EventKind = "subject.logged_out" // everywhere
	EventAccountCreated      EventKind = "account.created"
	EventAccountInvited      EventKind = "account.invited" // an administrator made an invitation
	EventInvitationWithdrawn EventKind = "account.uninvited"
	EventEmailChanged        EventKind = "email.changed" // or asked to be, where the one before was verified
	EventEmailVerified       EventKind = "email.verified"
	EventPasswordSet         EventKind = "password.set"
	EventFactorAdded         EventKind = "factor.added"   // of a login: one-time codes are asked for from now on
	EventFactorRemoved       EventKind = "factor.removed" // the password alone is enough again
	EventPasskeyAdded        EventKind = "passkey.added"  // the detail names it, as with all events of passkeys
	EventPasskeyRenamed      EventKind = "passkey.renamed"
	EventPasskeyRemoved      EventKind = "passkey.removed"
	EventPasskeyCloned       EventKind = "passkey.cloned"        // its counter went back, so that there may be two of it; the login was refused
	EventRecoveryCodeUsed    EventKind = "factor.recovery_code"  // instead of the factor itself
	EventRecoveryCodesMade   EventKind = "factor.recovery_codes" // new ones, and those of before are void
	EventAdminInvited        EventKind = "admin.invited"         // the operator made a bootstrap link
	EventAdminBootstrapped   EventKind = "admin.bootstrapped"    // somebody used it
	EventSessionIssued       EventKind = "session.issued"        // by an actor: with a login of its own
	EventSessionEnded        EventKind = "session.ended"         // by an actor: not by its subject
	EventConsentGiven        EventKind = "consent.given"         // the detail names the resource and the scope
	EventConsentWithdrawn    EventKind = "consent.withdrawn"     // and the client's sessions have ended
	EventDeviceAllowed       EventKind = "device.allowed"        // likewise, of a device (RFC 8628)
	EventRevocationToken     EventKind = "revocation.token"
	EventRevocationClient    EventKind = "revocation.client"
	EventRevocationAll       EventKind = "revocation.everything"
	EventForeignLogout       EventKind = "foreign.logout" // another issuer logged somebody out, of whom the detail tells
	EventKeyRotated          EventKind = "key.rotated"
	EventKeyScheduled        EventKind = "key.scheduled" // a rotation, for when every verifier holds the next key
	EventKeyImported         EventKind = "key.imported"
	EventKeyRevoked          EventKind = "key.revoked"
	EventClientCreated       EventKind = "client.created"
	EventClientChanged       EventKind = "client.changed" // the detail names the members
	EventClientDeleted       EventKind = "client.deleted"
	EventResourceCreated     EventKind = "resource.created"
	EventResourceChanged     EventKind = "resource.changed" // the detail names the members
	EventResourceDeleted     EventKind = "resource.deleted"
)

// audit writes an event about a change, under the name of the actor.
func (u *update) audit(kind EventKind, e Event) error {
	e.Time, e.Kind = u.now, kind
	e.Actor, e.ActorClient, e.RequestID = u.actor.Subject, u.actor.ClientID, u.actor.RequestID
	e.UserAgent, e.Address = u.actor.UserAgent, u.actor.Address
	return u.InsertEvent(e)
}

// auditActor is audit, and writes nothing where nobody acts but the subject: its logins and logouts are its sessions.
func (u *update) auditActor(kind EventKind, e Event) error {
	if !u.acted {
		return nil
	}
	return u.audit(kind, e)
}

// auditChange tells what became of a subject, in as many events as there are things to tell.
func (u *update) auditChange(before, after Subject, content bool) error {
	var err error
	if content {
		err = u.audit(EventSubjectChanged, Event{Subject: after.ID, Detail: subjectChanges(before, after)})
	}
	if err == nil && after.Disabled && !before.Disabled {
		err = u.audit(EventSubjectDisabled, Event{Subject: after.ID})
	}
	if err == nil && !after.Disabled && before.Disabled {
		err = u.audit(EventSubjectEnabled, Event{Subject: after.ID})
	}
	return err
}

// subjectChanges says which claims and scopes of a subject differ, by name: values may be private.
func subjectChanges(before, after Subject) string {
	var changes []string
	if names := changedMembers(before.Claims, after.Claims); len(names) > 0 {
		changes = append(changes, "claims "+strings.Join(names, ", "))
	}
	if lost := without(before.Scope, after.Scope); len(lost) > 0 {
		changes = append(changes, "lost scope "+strings.Join(lost, " "))
	}
	if won := without(after.Scope, before.Scope); len(won) > 0 {
		changes = append(changes, "won scope "+strings.Join(won, " "))
	}
	if len(changes) == 0 {
		return "nothing but the generation"
	}
	return strings.Join(changes, "; ")
}

// changedMembers names the members that two JSON objects don't have in common, sorted.
func changedMembers(before, after json.RawMessage) []string {
	var old, new map[string]json.RawMessage
	if json.Unmarshal(before, &old) != nil || json.Unmarshal(after, &new) != nil {
		return []string{"(all)"}
	}
	names := make(map[string]bool)
	for name, value := range old {
		if other, kept := new[name]; !kept || string(other) != string(value) {
			names[name] = true
		}
	}
	for name := range new {
		if _, kept := old[name]; !kept {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// without returns what stands in a list and not in the other.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(word string) bool { return slices.Contains(other, word) })
}

// auditRotation tells what a rotation did to the keys. What an emergency revoked has an event of its own.
func (u *update) auditRotation(r Rotation) error {
	label := keyLine{r.Purpose, r.Algorithm}.label()
	if !r.Due.IsZero() {
		return u.audit(EventKeyScheduled, Event{Detail: label + r.Next + " signs from " + r.Due.UTC().Format(time.RFC3339)})
	}
	detail := label + r.Active + " signs"
	if r.Retiring != "" {
		detail += ", " + r.Retiring + " retires"
	}
	return u.audit(EventKeyRotated, Event{Detail: detail})
}

// clientChanges names what differs between two states of a client.
func clientChanges(before, after Client) string {
	return changedNames([]comparison{
		{"name", before.Name == after.Name},
		{"scope", slices.Equal(before.Scopes, after.Scopes)},
		{"resources", slices.Equal(before.Resources, after.Resources)},
		{"first_party", before.FirstParty == after.FirstParty},
		{"access_ttl", before.AccessTTL == after.AccessTTL},
		{"idle_ttl", before.IdleTTL == after.IdleTTL},
		{"absolute_ttl", before.AbsoluteTTL == after.AbsoluteTTL},
		{"access_type", before.AccessType == after.AccessType},
		{"algorithm", before.Algorithm == after.Algorithm},
		{"redirect_uris", slices.Equal(before.RedirectURIs, after.RedirectURIs)},
		{"post_logout_redirect_uris", slices.Equal(before.PostLogoutRedirectURIs, after.PostLogoutRedirectURIs)},
		{"backchannel_logout_uri", before.BackchannelLogoutURI == after.BackchannelLogoutURI},
		{"secret", bytes.Equal(before.SecretHash, after.SecretHash)},
		{"key_set", sameKeys(before.KeySet, after.KeySet)},
		{"require_dpop", before.RequireDPoP == after.RequireDPoP},
		{"device_grant", before.DeviceGrant == after.DeviceGrant},
		{"exchange_from", slices.Equal(before.ExchangeFrom, after.ExchangeFrom)},
	})
}

func sameKeys(a, b *jot.KeySet) bool {
	before, err1 := json.Marshal(a)
	after, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(before, after)
}

// resourceChanges names what differs between two states of a resource.
func resourceChanges(before, after Resource) string {
	return changedNames([]comparison{
		{"name", before.Name == after.Name},
		{"scope", slices.Equal(before.Scopes, after.Scopes)},
		{"access_ttl", before.AccessTTL == after.AccessTTL},
		{"algorithm", before.Algorithm == after.Algorithm},
	})
}

// comparison says whether what has a name is the same before and after a change.
type comparison struct {
	name string
	same bool
}

func changedNames(all []comparison) string {
	var names []string
	for _, c := range all {
		if !c.same {
			names = append(names, c.name)
		}
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
