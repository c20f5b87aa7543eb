module github.com/jot-auth/jot

go 1.26.0
