package issuer

// WaitingTogether is how many changes wait to share a transaction.
func (i *Issuer) WaitingTogether() int { return i.line.Waiting() }
