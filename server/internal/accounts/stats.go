package accounts

// Hashing says how many passwords are being hashed at the moment, and how many callers wait for that.
func (a *Accounts) Hashing() (inside, waiting int) {
	return len(a.gate.inside), len(a.gate.strangers) + len(a.gate.known)
}
