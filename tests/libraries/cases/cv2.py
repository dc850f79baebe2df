"""cv2: objects of C++ with few ways to look at what they hold."""

from case import Case, Library

LIBRARY = Library(
    package="opencv-python-headless",
    imports="import cv2\nimport numpy as np",
    cases=(
        Case(
            name="cv2.KeyPoint",
            make="x = cv2.KeyPoint(1.0, 2.0, 3.0)",
            use="x.pt; x.size",
            changes=("x.size = 5", "x.pt = (7.0, 8.0)", "x.angle = 45"),
            picture="x.pt, x.size, x.angle, x.octave",
        ),
        Case(
            name="cv2.DMatch",
            make="x = cv2.DMatch(1, 2, 0.5)",
            use="x.distance",
            changes=("x.distance = 2.5", "x.trainIdx = 7", "x.imgIdx = 3"),
            picture="x.queryIdx, x.trainIdx, x.imgIdx, x.distance",
        ),
        Case(
            name="cv2.VideoCapture",
            make="x = cv2.VideoCapture()",
            use="x.isOpened()",
            changes=("x.setExceptionMode(True)", "x.setExceptionMode(False)", "x.setExceptionMode(True)"),
            picture="x.getExceptionMode()",
            storable=False,
        ),
        Case(
            name="cv2.UMat",
            make="x = cv2.UMat(np.eye(2))",
            use="x.get()",
            changes=("cv2.multiply(x, 2, dst=x)", "cv2.add(x, 1, dst=x)", "x = cv2.UMat(np.zeros(1))"),
            picture="x.get().tolist()",
            storable=False,
        ),
        Case(
            name="cv2.ORB",
            make="x = cv2.ORB_create(nfeatures=10)",
            use="x.detect(np.zeros((40, 40), np.uint8), None)",
            changes=("x.setMaxFeatures(20)", "x.setFastThreshold(5)", "x.setPatchSize(15)"),
            picture="x.getMaxFeatures(), x.getFastThreshold(), x.getPatchSize()",
            storable=False,
        ),
        Case(
            name="cv2.BackgroundSubtractorMOG2",
            make="x = cv2.createBackgroundSubtractorMOG2()",
            use="x.getHistory()",
            changes=("x.setHistory(5)", "x.apply(np.zeros((4, 4), np.uint8))", "x.setNMixtures(3)"),
            picture="x.getHistory(), x.getNMixtures(), x.getBackgroundImage() is None",
            storable=False,
        ),
        Case(
            name="cv2.KalmanFilter",
            make="x = cv2.KalmanFilter(2, 1)",
            use="x.statePre.tolist()",
            changes=(
                "x.transitionMatrix = np.eye(2, dtype=np.float32) * 2",
                "x.statePost = np.ones((2, 1), np.float32); x.predict()",
                "x.gain = np.ones((2, 1), np.float32)",
            ),
            picture="x.transitionMatrix.tolist(), x.gain.tolist(), x.statePre.tolist()",
            storable=False,
        ),
        Case(
            name="numpy.ndarray (an image of cv2)",
            make="x = np.zeros((9, 9, 3), np.uint8)",
            use="cv2.cvtColor(x, cv2.COLOR_BGR2GRAY); cv2.imencode('.png', x)",
            changes=(
                "cv2.rectangle(x, (1, 1), (5, 5), (0, 255, 0))",
                "cv2.circle(x, (4, 4), 2, (255, 0, 0), -1)",
                "cv2.GaussianBlur(x, (3, 3), 0, dst=x)",
            ),
            picture="x.tolist()",
        ),
    ),
)
