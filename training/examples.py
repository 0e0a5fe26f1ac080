# SPDX-License-Identifier: Apache-2.0
"""Inputs for the golden vectors of the question, token and text models."""
EIFFEL = ("The Eiffel Tower is a wrought-iron lattice tower on the Champ de Mars in Paris, France. It is named after the "
          "engineer Gustave Eiffel, whose company designed and built the tower from 1887 to 1889.")
JAPAN = "Japan is an island country in East Asia. Its capital is Tokyo. People in Japan speak Japanese and pay with the yen."
CURIE = "Marie Curie was a Polish and French physicist. She was born in Warsaw in 1867 and won the Nobel Prize in 1903."
PARAGRAPHS = [("Who is the Eiffel Tower named after?", EIFFEL), ("What is the capital of Japan?", JAPAN),
              ("When was Marie Curie born?", CURIE), ("Où est né Émile?", "  Émile was born in Québec (Canada) — in 1901.  ")]
SENTENCES = ["Angela Merkel met Barack Obama in Berlin on Tuesday.", "Just got my new iPhone from Apple, watching Toy Story in New York!",
             "Coldplay are playing in London tonight", "café naïve @user #tag http://t.co/x1 😀 it's  $3.99 (São Paulo)"]
PROMPTS = ["The capital of France is", "Once upon a time there was a", "KING RICHARD:\nMy lord, ", "The film was released in"]
