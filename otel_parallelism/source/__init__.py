"""What Python source text shows about two calls: pure functions over syntax trees. Nothing is run or imported."""
