"""Writes the Japanese vowels that the package `aeon` carries within it; nothing is downloaded.

pip install --no-deps aeon==1.6.0
python docs/published/vowels.py FOLDER      FOLDER/vowels/train.csv, test.csv

A row is a moment of an utterance, from 7 to 29 of them: `utterance`, 12 coefficients of the sound, and `speaker`, one of
nine, who is to be recognised. 270 utterances to learn from and 370 for the verdict (Kudo, Toyama and Shimbo 1999).
"""

import importlib.util
import pathlib
import sys

package = pathlib.Path(importlib.util.find_spec("aeon").origin).parent
folder = pathlib.Path(sys.argv[1]) / "vowels"
folder.mkdir(parents=True, exist_ok=True)
for part in ["train", "test"]:
    text = (package / "datasets/data/JapaneseVowels" / f"JapaneseVowels_{part.upper()}.ts").read_text()
    samples = [line.split(":") for line in text.splitlines() if line and line[0] not in "#@"]
    with open(folder / f"{part}.csv", "w") as file:
        print("utterance", *(f"c{i}" for i in range(1, 13)), "speaker", sep=",", file=file)
        for number, (*channels, speaker) in enumerate(samples):
            moments = zip(*([cell for cell in channel.split(",") if cell != "NaN"] for channel in channels))
            for moment in moments:
                print(number, *moment, speaker, sep=",", file=file)
