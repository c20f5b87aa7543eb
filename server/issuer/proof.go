package issuer

// Device is where an attempt to prove something comes from.
type Device struct {
	Address string // of the connection, as IP address
	Token   string // that an earlier Proof gave to this device; "" is none, and so is anything that isn't good
}

// Proof is what a subject has just proved, by its password or otherwise, before its session begins: for a Grant or a
// Renewal.
type Proof struct {
	Subject     string
	AMR         []string // how it was proved (RFC 8176), such as "pwd"
	DeviceToken string   // for the device's next attempt; no credential

	// Confirm, where it isn't nil, runs in the transaction that begins the session, after the subject was judged; its
	// error ends the transaction and is the answer. It checks, and may write, what has to hold at the very moment when
	// the session begins: that the password which was checked is still the password. A store may run it again, so it
	// must have no effects but through the Tx.
	Confirm func(Tx) error

	// Committed, where it isn't nil, is called once the transaction of Confirm has committed, whatever becomes of the
	// answer then: the person is told.
	Committed func()
}
