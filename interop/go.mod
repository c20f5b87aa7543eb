module github.com/jot-auth/jot/interop

go 1.26.0

require github.com/jot-auth/jot v0.0.0

require (
	github.com/go-jose/go-jose/v4 v4.1.8 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	golang.org/x/mod v0.42.0 // indirect
)
