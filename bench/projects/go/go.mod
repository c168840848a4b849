module example.org/purse

go 1.19
