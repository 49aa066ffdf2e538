"""Rural revitalisation (乡村振兴局, formerly 扶贫办): relapse and backstop lists as files."""
