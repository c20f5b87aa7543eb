package accounts

// Hashing says how many passwords are being hashed at the moment, how many callers wait for that, and how many were
// hashed since the start.
func (a *Accounts) Hashing() (inside, waiting int, done uint64) {
	return len(a.gate.inside), len(a.gate.strangers) + len(a.gate.known), a.gate.left.Load()
}
