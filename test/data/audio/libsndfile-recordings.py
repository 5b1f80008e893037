"""
Writes recordings of many kinds into a folder, and beside each recording of the folder what libsndfile makes of it.

    libsndfile-recordings.py write FOLDER   writes WAV files of every kind that libsndfile can write and this project reads
    libsndfile-recordings.py read FOLDER    writes NAME.f64 for each NAME.wav: the mean of the channels, little-endian
"""

import os
import sys

import numpy
import soundfile

KINDS = ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"]


def write(folder):
    for form in ("WAV", "WAVEX", "RF64"):
        for kind in KINDS:
            for channels in (1, 2, 5):
                for count in (1, 7, 1000):
                    random = numpy.random.RandomState(count)
                    sound = random.uniform(-1, 1, (count, channels))
                    if soundfile.check_format(form, kind):
                        name = f"{form}-{kind}-{channels}-{count}.wav"
                        soundfile.write(os.path.join(folder, name), sound, 11025 * channels, kind, format=form)


def read(folder):
    for name in sorted(os.listdir(folder)):
        if name.endswith(".wav"):
            sound, rate = soundfile.read(os.path.join(folder, name), dtype="float64", always_2d=True)
            with open(os.path.join(folder, f"{name}.f64"), "wb") as file:
                file.write(numpy.concatenate([[rate], sound.mean(axis=1)]).astype("<f8").tobytes())


{"write": write, "read": read}[sys.argv[1]](sys.argv[2])
