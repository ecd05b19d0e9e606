"""Sorts the photographs in FOLDER by the people they show.

    photographs_people.py FOLDER

Writes FOLDER/people with one folder a person. Single faces are cut out of photographs of groups.
"""

import pathlib
import shutil
import sys

from PIL import Image

ALONE = {"obama": ["obama", "obama2", "obama3"], "biden": ["biden"]}
# Photograph, and left, top, right and bottom in it. One person is in two photographs; left out are
# those who may be, as far as an eye can tell. Who they are is not said.
IN_GROUPS = {
    "sample1-left": [("sample1", (280, 220, 740, 660))],
    "sample2-right": [("sample2", (1320, 60, 1780, 500))],
    "sample3-left": [("sample3", (480, 240, 920, 680))],
    "sample3-middle": [
        ("sample3", (960, 120, 1400, 560)),
        ("sample1", (1360, 120, 1820, 580)),
    ],
    "sample3-right": [("sample3", (1400, 220, 1840, 660))],
    "sample4-first": [("sample4", (140, 100, 520, 520))],
    "sample4-third": [("sample4", (880, 80, 1250, 480))],
    "sample4-fourth": [("sample4", (1210, 80, 1600, 500))],
    "sample5-top": [("sample5", (660, 20, 1050, 420))],
    "sample5-left": [("sample5", (460, 340, 880, 740))],
    "sample5-middle": [("sample5", (1040, 100, 1380, 500))],
    "sample5-right": [("sample5", (1300, 300, 1760, 740))],
    "sample5-bottom": [("sample5", (260, 800, 700, 1240))],
    "sample6-first": [("sample6", (120, 380, 600, 840))],
    "sample6-second": [("sample6", (580, 220, 1000, 680))],
    "sample6-third": [("sample6", (1080, 180, 1470, 600))],
    "sample6-fourth": [("sample6", (1450, 160, 1840, 620))],
}


def main(folder):
    for person, photographs in ALONE.items():
        for number, photograph in enumerate(photographs, 1):
            shutil.copyfile(folder / f"{photograph}.jpg", place(folder, person, number))
    for person, faces in IN_GROUPS.items():
        for number, (photograph, box) in enumerate(faces, 1):
            with Image.open(folder / f"{photograph}.jpg") as group:
                face = group.crop(box)
            face.save(place(folder, person, number), quality=95, subsampling=0)


def place(folder, person, number):
    of_person = folder / "people" / person
    of_person.mkdir(parents=True, exist_ok=True)
    return of_person / f"{number}.jpg"


main(pathlib.Path(sys.argv[1]))
