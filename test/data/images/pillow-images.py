"""
Writes images of many kinds into a folder, and beside each image of the folder what Pillow makes of it.

    pillow-images.py write FOLDER    writes JPEG files
    pillow-images.py read FOLDER     writes NAME.rgb and NAME.grey for each NAME.png and NAME.jpg, upright
    pillow-images.py resize FOLDER   reads lines of JSON, {file, size, fit}, and writes NAME.N.resized for line N
"""

import io
import json
import os
import shutil
import subprocess
import sys

import numpy
from PIL import Image, ImageFile, ImageOps

# Damaged chunks that only describe the image are left out, as libpng does.
ImageFile.LOAD_TRUNCATED_IMAGES = True


def picture(height, width, channels, smooth, seed):
    if smooth:
        y, x = numpy.mgrid[0:height, 0:width]
        planes = [(x * 5 + y * 3 + 40 * k) % 256 for k in range(channels)]
        return numpy.stack(planes, -1).astype("u1")
    return numpy.random.RandomState(seed).randint(0, 256, (height, width, channels)).astype("u1")


def segment(marker, body):
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def adobe(transform):
    return segment(0xEE, b"Adobe" + bytes([0, 100, 0, 0, 0, 0, transform]))


def without(data, marker):
    """The file without the segments of a marker; they all stand before the compressed data."""
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] != marker:
            out += data[at:end]
        at = end
    return out + data[at:]


def behind_start(data, extra):
    return data[:2] + extra + data[2:]


def with_ids(data, ids):
    """Other names for the components, in the frame and in every scan."""
    out = bytearray(data)
    frame = next(at for at in range(len(out)) if out[at] == 0xFF and out[at + 1] in (0xC0, 0xC2))
    old = [out[frame + 10 + 3 * i] for i in range(out[frame + 9])]
    for i, name in enumerate(ids):
        out[frame + 10 + 3 * i] = name
    for at in range(frame, len(out) - 1):
        if out[at] == 0xFF and out[at + 1] == 0xDA:
            for i in range(out[at + 4]):
                out[at + 5 + 2 * i] = ids[old.index(out[at + 5 + 2 * i])]
    return bytes(out)


def behind_scans(data, extra):
    """The file with bytes behind the compressed data of every scan but the last."""
    out, at = b"", 0
    scans = data.count(b"\xff\xda")
    for _ in range(scans - 1):
        end = data.index(b"\xff\xda", at) + 2
        while data[end] != 0xFF or data[end + 1] in (0, *range(0xD0, 0xD8)):
            end += 1
        out, at = out + data[at:end] + extra, end
    return out + data[at:]


def save(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def jpegs():
    for height, width in [(1, 1), (7, 9), (16, 16), (17, 33), (40, 23)]:
        for smooth in (False, True):
            name = f"{'smooth' if smooth else 'noise'}-{width}x{height}"
            colours = picture(height, width, 3, smooth, height)
            image = Image.fromarray(colours)
            for quality in (30, 90):
                for sampling in (0, 1, 2):
                    for progressive in (False, True):
                        kind = f"{['444', '422', '420'][sampling]}-{'progressive' if progressive else 'baseline'}"
                        data = save(image, quality=quality, subsampling=sampling, progressive=progressive)
                        yield f"{kind}-{quality}-{name}", data
            yield f"grey-{name}", save(Image.fromarray(colours[:, :, 0]))
            yield f"grey-progressive-{name}", save(Image.fromarray(colours[:, :, 0]), progressive=True)
            plain = save(image, subsampling=0, quality=90)
            bare = without(plain, 0xE0)
            yield f"unmarked-{name}", bare
            yield f"ids-RGB-{name}", with_ids(bare, b"RGB")
            yield f"ids-RGB-jfif-{name}", with_ids(plain, b"RGB")
            yield f"ids-012-{name}", with_ids(bare, bytes([0, 1, 2]))
            yield f"ids-rgb-{name}", with_ids(bare, b"rgb")
            for transform in (0, 1, 2):
                yield f"adobe-{transform}-{name}", behind_start(bare, adobe(transform))
                yield f"adobe-{transform}-jfif-{name}", behind_start(without(plain, 0xE0), plain[2:20] + adobe(transform))
                yield f"adobe-{transform}-ids-RGB-{name}", behind_start(with_ids(bare, b"RGB"), adobe(transform))
            yield f"fill-bytes-{name}", behind_start(plain, b"\xff\xff\xff")
            yield f"trailing-{name}", plain + b"more \xff\xd8\xff behind the end"
            yield f"comments-{name}", behind_start(plain, segment(0xFE, b"\xff\xd9\xff\xda a comment")) + b""
            yield f"bad-profile-{name}", behind_start(plain, segment(0xE2, b"ICC_PROFILE\0\x07\x01 none"))
            for extra in (b"\0", b"\x12\x34" * 50, b"\xff\x00\x01", b"\xfe\xff\xff"):
                for progressive in (False, True) if height == 17 or not smooth else ():
                    data = save(image, quality=90, progressive=progressive)
                    kind = f"{len(extra)}-{extra[:2].hex()}-{'progressive' if progressive else 'baseline'}"
                    yield f"bytes-before-end-{kind}-{name}", data[:-2] + extra + data[-2:]
            for extra in (b"\0", b"\x12\x34" * 50, b"\xfe\xff\xff"):
                data = behind_scans(save(image, quality=90, progressive=True), extra)
                yield f"bytes-between-scans-{len(extra)}-{name}", data
            for sampling in (0, 1, 2):
                ink = Image.fromarray(picture(height, width, 4, smooth, width), "CMYK")
                for progressive in (False, True):
                    kind = f"{['444', '422', '420'][sampling]}-{'progressive' if progressive else 'baseline'}"
                    data = save(ink, quality=90, subsampling=sampling, progressive=progressive)
                    where = data.index(b"Adobe") + 11
                    yield f"cmyk-{kind}-{name}", data
                    yield f"ycck-{kind}-{name}", data[:where] + b"\x02" + data[where + 1 :]
                    yield f"cmyk-unmarked-{kind}-{name}", without(data, 0xEE)
                    if height == 17:
                        yield f"cmyk-bytes-before-end-{kind}-{name}", data[:-2] + b"\0\0" + data[-2:]
    for orientation in range(10):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.fromarray(picture(24, 16, 3, True, 1))
        yield f"orientation-{orientation}", save(image, quality=95, exif=exif)
        yield f"orientation-grey-{orientation}", save(image.convert("L"), quality=95, exif=exif)
    yield from compressed()


def compressed():
    """What Pillow does not write, and libjpeg-turbo's own program does where it is installed."""
    if shutil.which("cjpeg") is None:
        return
    for height, width in [(7, 9), (17, 33), (40, 23)]:
        for smooth in (False, True):
            file = io.BytesIO()
            Image.fromarray(picture(height, width, 3, smooth, 5)).save(file, "PPM")
            options = {f"restart-{rows}": ["-restart", rows] for rows in ("1", "2B")}
            options["arithmetic"] = ["-arithmetic"]
            options["arithmetic-progressive"] = ["-arithmetic", "-progressive"]
            options["stored-rgb"] = ["-rgb"]
            for across, along in ["41", "12", "14"]:
                options[f"sampled-{across}x{along}"] = ["-sample", f"{across}x{along}"]
            options["sampled-all-2x1"] = ["-sample", "2x1,2x1,2x1"]
            options["sampled-2x2-1x2"] = ["-sample", "2x2,1x2,1x2"]
            options["sampled-2x2-2x1"] = ["-sample", "2x2,2x1,2x1"]
            for rare in ("4x2", "2x4", "3x1", "1x3", "3x2", "2x2,2x1,1x1", "1x1,2x2,1x2", "4x1,2x1,1x1"):
                options[f"rare-{rare}"] = ["-sample", rare]
                options[f"rare-{rare}-progressive"] = ["-sample", rare, "-progressive"]
            for name, words in options.items():
                data = subprocess.run(["cjpeg", *words], input=file.getvalue(), capture_output=True).stdout
                if data:
                    yield f"cjpeg-{name}-{'smooth' if smooth else 'noise'}-{width}x{height}", data


def eight_bits(image):
    """Pillow keeps 16 bits of grey alone; of all others it takes the upper 8, as libpng can."""
    if image.mode.startswith("I"):
        return Image.fromarray((numpy.asarray(image).astype("i4") >> 8).astype("u1"))
    return image


def read(folder):
    for name in sorted(os.listdir(folder)):
        if name.endswith((".png", ".jpg")):
            with Image.open(os.path.join(folder, name)) as image:
                upright = eight_bits(ImageOps.exif_transpose(image)).convert("RGB")
            for mode, ending in (("RGB", "rgb"), ("L", "grey")):
                with open(os.path.join(folder, f"{name}.{ending}"), "wb") as file:
                    file.write(upright.convert(mode).tobytes())


def fitted(image, height, width, fit):
    if fit == "stretch":
        return image.resize((width, height), Image.BILINEAR)
    if fit == "cover":
        return ImageOps.fit(image, (width, height), Image.BILINEAR)
    w, h = image.size
    if w * height > h * width:
        inner = (width, max(1, (2 * h * width + w) // (2 * w)))
    else:
        inner = (max(1, (2 * w * height + h) // (2 * h)), height)
    whole = Image.new(image.mode, (width, height))
    whole.paste(image.resize(inner, Image.BILINEAR), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return whole


def resize(folder):
    for number, line in enumerate(sys.stdin):
        task = json.loads(line)
        with Image.open(os.path.join(folder, task["file"])) as image:
            result = fitted(image.convert("RGB"), *task["size"], task["fit"])
        with open(os.path.join(folder, f"{number}.resized"), "wb") as file:
            file.write(result.tobytes())


def write(folder):
    for name, data in jpegs():
        with open(os.path.join(folder, f"{name}.jpg"), "wb") as file:
            file.write(data)


{"write": write, "read": read, "resize": resize}[sys.argv[1]](sys.argv[2])
