"""The two nets as OpenCV runs them: find the faces of a picture, describe the largest.

The only module that imports OpenCV and NumPy; ``engine`` imports it when it is first needed.
Not safe for threads: ``engine`` lets one in at a time. The same picture gives the same
numbers, since OpenCV is kept to one thread.
"""

from __future__ import annotations

from typing import Any, ClassVar

import cv2
import numpy as np
from django.views.decorators.debug import sensitive_variables
from PIL import Image

from django_faceverify.faces.sight import Facts, Sight

#: what the recognizer takes: a face of this side, upright, with eyes, nose and mouth in place
CROP_SIDE = 112
_PLACES = np.array(
    [
        *(38.2946 + 51.6963j, 73.5318 + 51.5014j),  # eyes, the left one of the picture first
        56.0252 + 71.7366j,  # tip of the nose
        *(41.5493 + 92.3655j, 70.7299 + 92.2041j),  # corners of the mouth
    ]
)

#: pixels on the longer side of the picture in which faces are looked for
DETECTION_SIDE = 640
#: a face that fills its picture is found only with something around it
BORDER_SHARE = 0.2
BORDER_COLOUR = (127, 127, 127)
LEAST_SCORE = 0.7
#: a face found less surely than this may lie on its side, or be none
SURE_SCORE = 0.88
OVERLAP = 0.3
MAX_FOUND = 50
#: another face counts when its area is more than this share of the largest one's
OTHER_FACE_SHARE = 0.35


class Nets:
    """Both nets in memory; built from the bytes of their weights."""

    #: what OpenCV raises when it cannot do what it is asked
    failure: ClassVar[type[Exception]] = cv2.error

    def __init__(self, detector: bytes, recognizer: bytes) -> None:
        cv2.setNumThreads(1)
        nothing: Any = np.empty(0, np.uint8)
        self._detector = cv2.FaceDetectorYN.create(
            "onnx",
            np.frombuffer(detector, np.uint8),
            nothing,
            (DETECTION_SIDE, DETECTION_SIDE),
            LEAST_SCORE,
            OVERLAP,
            MAX_FOUND,
        )
        # Not ``cv2.FaceRecognizerSF``: OpenCV 5 refuses this file there, for inputs of the net
        # that nobody uses. Named, the one that counts can be set in every version.
        self._recognizer = cv2.dnn.readNetFromONNX(np.frombuffer(recognizer, np.uint8))

    @sensitive_variables()
    def look(self, picture: Image.Image) -> Sight:
        """Find the faces of an RGB picture and describe the largest one."""
        pixels, faces = self._find_upright(np.asarray(picture))
        if not faces:
            return Sight(Facts(face_count=0))
        largest = faces[0]
        others = [face for face in faces[1:] if _area(face) > OTHER_FACE_SHARE * _area(largest)]
        crop = _crop(pixels, largest)
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        facts = Facts(
            face_count=1 + len(others),
            face_width=round(float(largest[2])),
            sharpness=round(float(cv2.Laplacian(grey, cv2.CV_64F).var()), 1),
            brightness=round(float(grey.mean()), 1),
        )
        return Sight(facts, self._describe(crop))

    def _find_upright(self, pixels: Any) -> tuple[Any, list[Any]]:
        """The picture as it stands best, and its faces; turned only where that is in doubt."""
        faces = self._find(pixels)
        best = pixels, faces
        if _score(faces) < SURE_SCORE:
            for quarters in (1, 2, 3):
                turned = np.ascontiguousarray(np.rot90(pixels, quarters))
                found = self._find(turned)
                if _score(found) > _score(best[1]):
                    best = turned, found
        return best

    def _find(self, pixels: Any) -> list[Any]:
        """Rows of x, y, width, height, five points and a score; the largest face first."""
        small, shrunk = _shrink(pixels)
        border = round(max(small.shape[:2]) * BORDER_SHARE)
        framed = cv2.copyMakeBorder(
            small, border, border, border, border, cv2.BORDER_CONSTANT, value=BORDER_COLOUR
        )
        framed = cv2.cvtColor(framed, cv2.COLOR_RGB2BGR)  # the detector was taught with BGR
        self._detector.setInputSize((framed.shape[1], framed.shape[0]))
        _, found = self._detector.detect(framed)
        if found is None:
            return []
        faces = found.copy()
        for columns in (slice(0, 2), slice(4, 14)):
            faces[:, columns] -= border
        faces[:, :14] /= shrunk
        return sorted(faces, key=_area, reverse=True)

    def _describe(self, crop: Any) -> Any:
        """128 numbers of length 1; the recognizer was taught with RGB."""
        blob = cv2.dnn.blobFromImage(crop, 1.0, (CROP_SIDE, CROP_SIDE))
        self._recognizer.setInput(blob, "data")
        numbers = self._recognizer.forward().ravel().astype(np.float64)
        return numbers / np.linalg.norm(numbers)


def _area(face: Any) -> float:
    return float(face[2] * face[3])


def _score(faces: list[Any]) -> float:
    return max((float(face[14]) for face in faces), default=0.0)


def _shrink(pixels: Any) -> tuple[Any, float]:
    """The picture within ``DETECTION_SIDE``, and by what it was multiplied."""
    height, width = pixels.shape[:2]
    factor = min(1.0, DETECTION_SIDE / max(height, width))
    if factor == 1.0:
        return pixels, factor
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), factor


def _crop(pixels: Any, face: Any) -> Any:
    """The face, turned, moved and scaled so that its points come to their places.

    As complex numbers such a change is one factor and one offset, and the best is the least
    squares solution. A large face is taken from the shrunk picture, which has no noise that
    a crop of few pixels would only pick at random.
    """
    small, shrunk = _shrink(pixels)
    if face[2] * shrunk >= CROP_SIDE:
        pixels, face = small, face * shrunk
    points = face[4:14:2] + 1j * face[5:14:2]
    middle, goal = points.mean(), _PLACES.mean()
    arms = points - middle
    factor = (arms.conj() @ (_PLACES - goal)) / (arms.conj() @ arms).real
    offset = goal - factor * middle
    change = np.array(
        [[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]]
    )
    return cv2.warpAffine(pixels, change, (CROP_SIDE, CROP_SIDE), flags=cv2.INTER_LINEAR)
