"""Converts the weights of the face networks to ONNX.

    convert.py FOLDER_OF_WEIGHTS FOLDER_OF_NETWORKS

Every weight file is compared with the digest below before it is read.
"""

import hashlib
import pathlib
import sys

import from_faceapi
import from_tflite

WEIGHTS = {
    "face_detection_back.tflite": "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
    "face_landmark.tflite": "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    "iris_landmark.tflite": "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    "MobileFaceNet.tflite": "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b",
    "face_recognition_model.bin": "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
    "face_recognition_model-weights_manifest.json": "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
}


def main(source, target):
    weights = {name: checked(source / name, digest) for name, digest in WEIGHTS.items()}
    networks = {
        "detector": from_tflite.convert(
            weights["face_detection_back.tflite"], "detector", ["boxes", "scores"]
        ),
        "landmarks": from_tflite.convert(
            weights["face_landmark.tflite"], "landmarks", ["points", "presence"]
        ),
        "eye": from_tflite.convert(weights["iris_landmark.tflite"], "eye", ["contour", "iris"]),
        "matcher-a": from_tflite.convert(weights["MobileFaceNet.tflite"], "matcher_a", ["template"]),
        "matcher-b": from_faceapi.convert(
            weights["face_recognition_model.bin"],
            weights["face_recognition_model-weights_manifest.json"],
        ),
    }
    for name, network in networks.items():
        network.save(target / f"{name}.onnx")


def checked(path, digest):
    octets = path.read_bytes()
    found = hashlib.sha256(octets).hexdigest()
    if found != digest:
        raise SystemExit(f"{path.name} has SHA-256 {found}, not {digest}")
    return octets


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
