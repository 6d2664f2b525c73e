"""What a person at a terminal sees and answers: results as tables or lines, words, questions."""
