module go-router

go 1.21
