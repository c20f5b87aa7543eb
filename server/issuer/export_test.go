package issuer

// WaitingTogether is how many changes wait to share a transaction.
func (i *Issuer) WaitingTogether() int {
	i.together.mu.Lock()
	defer i.together.mu.Unlock()
	return len(i.together.waiting)
}
